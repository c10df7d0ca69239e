// What a program makes of senti-serve by the client that OpenAPI Generator's typescript-fetch has made (tests/system/openapi_generator.py): it prints
// one line of JSON. tsc checks it.
import { Configuration, MessagesApi, ResponseError, ScoringApi } from "./api/index";

declare const process: { argv: string[] };

const conf = new Configuration({ basePath: process.argv[2] });
const scoring = new ScoringApi(conf);
const messages = new MessagesApi(conf);
const id = "typescript/ü 1";

async function missing(): Promise<unknown> {
  try {
    await messages.getMessage({ id: "none" });
  } catch (error) {
    if (error instanceof ResponseError) return (await error.response.json()).type;
    throw error;
  }
  return null;
}

async function all() {
  const scored = await scoring.score({ recordOrRecords: { text: "I love it" }, model: "vader" });
  const sentiment = { label: "negative" as const, by: "hand" };
  await messages.submitMessages({ prefer: "wait=10", newMessageOrMessages: { id, text: "I love it", source: "shop", sentiment } });
  const stored = await messages.getMessage({ id });
  const corrected = await messages.correctMessage({ id, correction: { label: "neutral" } });
  const page = await messages.listMessages({ limit: 5 });
  return {
    score: scored.sentiment.score,
    id: stored.id,
    source: stored.source,
    label: stored.sentiment?.label,
    corrected: corrected.sentiment?.label,
    version: corrected.version,
    page: page.items.length,
    missing: await missing(),
  };
}

all().then((found) => console.log(JSON.stringify(found)));
