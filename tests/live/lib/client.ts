// What a program makes of senti-serve by openapi-fetch and the types that openapi-typescript has made of its description (tests/live/clients.py):
// it prints one line of JSON. tsc checks it, so each member that is used must be described.
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

declare const process: { argv: string[] };
type Schemas = components["schemas"];

const client = createClient<paths>({ baseUrl: process.argv[2] });

const record: Schemas["Record"] = { text: "I love it", shop: { aisle: 7 } };
const scored = await client.POST("/v1/sentiment", { params: { query: { model: "vader" } }, body: record });
if (!scored.data || typeof scored.data === "string" || Array.isArray(scored.data)) throw new Error("not one record");
const score = scored.data;

const lines = await client.POST("/v1/sentiment", {
  body: '{"text":"so so"}\n{"id":"2"}\n',
  bodySerializer: (body) => body as string,
  headers: { "Content-Type": "application/x-ndjson" },
  parseAs: "text",
});

const given: Schemas["GivenSentiment"] = { label: "negative", by: "hand" };
const message: Schemas["NewMessage"] = { id: "typescript/ü 1", text: "I love it", source: "shop", sentiment: given };
const submitted = await client.POST("/v1/messages", { params: { header: { Prefer: "wait=10" } }, body: message });
const path = { params: { path: { id: "typescript/ü 1" } } };
const read = await client.GET("/v1/messages/{id}", path);
const stored: Schemas["Message"] | undefined = read.data;

const missing = await client.GET("/v1/messages/{id}", { params: { path: { id: "none" } } });
const problem: Schemas["Problem"] | undefined = missing.error;

const asked = await client.POST("/graphql", {
  body: { query: "query ($id: ID!) { message(id: $id) { sentiment { label } } }", variables: { id: "typescript/ü 1" } },
});
if (!asked.data || typeof asked.data === "string") throw new Error("not an answer");

console.log(
  JSON.stringify({
    label: score.sentiment.label,
    score: score.sentiment.score,
    shop: score.shop,
    lines: lines.data,
    submitted: submitted.response.status,
    id: stored?.id,
    source: stored?.source,
    sentiment: stored?.sentiment?.label,
    version: stored?.version,
    missing: missing.response.status,
    problem: problem?.type,
    graphql: asked.data.data,
  }),
);
