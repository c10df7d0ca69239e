"""What one would write instead of senti-serve: FastAPI and vaderSentiment, one worker of uvicorn (with uvloop and httptools)."""
from fastapi import FastAPI
from pydantic import BaseModel
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer


class Message(BaseModel):
    id: str | None = None
    text: str


app = FastAPI()
analyzer = SentimentIntensityAnalyzer()


# async: a plain function would go through a pool of threads, which is slower.
@app.post("/v1/sentiment")
async def sentiment(message: Message):
    return {"id": message.id, "text": message.text, "sentiment": analyzer.polarity_scores(message.text)}
