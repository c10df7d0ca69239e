//! VADER crates behind serde_json: JSON lines in, JSON lines with `sentiment` out, as senti-score does it.
//!
//!     rivals vader_sentiment|vader-sentimental|vader-parity < in > out

use serde_json::{json, Value};
use std::io::{self, BufRead, BufWriter, Write};

/// neg, neu, pos, compound
type Scores = (f64, f64, f64, f64);

fn engine(name: &str) -> Option<Box<dyn Fn(&str) -> Scores>> {
    match name {
        "vader_sentiment" => {
            let analyzer = vader_sentiment::SentimentIntensityAnalyzer::new();
            Some(Box::new(move |text| {
                let s = analyzer.polarity_scores(text);
                (s["neg"], s["neu"], s["pos"], s["compound"])
            }))
        }
        "vader-sentimental" => {
            let analyzer = vader_sentimental::SentimentIntensityAnalyzer::new();
            Some(Box::new(move |text| {
                let s = analyzer.polarity_scores(text);
                (s.neg, s.neu, s.pos, s.compound)
            }))
        }
        "vader-parity" => {
            let analyzer = vader_parity::SentimentIntensityAnalyzer::new();
            Some(Box::new(move |text| {
                let s = analyzer.polarity_scores(text);
                (s.neg, s.neu, s.pos, s.compound)
            }))
        }
        _ => None,
    }
}

fn main() -> io::Result<()> {
    let name = std::env::args().nth(1).unwrap_or_default();
    let score = engine(&name).expect("an engine's name");
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let mut input = io::BufReader::with_capacity(1 << 16, io::stdin().lock());
    let mut line = String::new();
    while input.read_line(&mut line)? > 0 {
        let mut record: Value = serde_json::from_str(&line)?;
        let (neg, neu, pos, compound) = score(record["text"].as_str().expect("a text"));
        record["sentiment"] = json!({"score": compound, "neg": neg, "neu": neu, "pos": pos});
        serde_json::to_writer(&mut out, &record)?;
        out.write_all(b"\n")?;
        line.clear();
    }
    out.flush()
}
