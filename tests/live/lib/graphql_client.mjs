// What npm's clients say of a running server:
//
//     node graphql_client.mjs audit URL            graphql-http's audit, a line for what is not ok, then "N of M"
//     node graphql_client.mjs schema URL FILE      what introspection shows, printed as SDL, then whether that equals the file's, printed likewise
//     node graphql_client.mjs subscribe URL N AFTER   N messages of the subscription by graphql-sse's client, a line each
import fs from 'node:fs';
import { createRequire } from 'node:module';
const require = createRequire(`${process.env.SENTI_NPM}/`);
const { getIntrospectionQuery, buildClientSchema, printSchema, buildSchema } = require('graphql');
const [what, url, ...rest] = process.argv.slice(2);

async function audit() {
  const results = await require('graphql-http').auditServer({ url });
  for (const r of results) if (r.status !== 'ok') console.log(r.status, r.id, r.name, r.reason);
  console.log(`${results.filter((r) => r.status === 'ok').length} of ${results.length}`);
}

async function schema() {
  const query = getIntrospectionQuery({
    specifiedByUrl: true, inputValueDeprecation: true, schemaDescription: true, directiveIsRepeatable: true,
  });
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ query }) });
  const { data, errors } = await answer.json();
  if (errors) throw new Error(JSON.stringify(errors));
  const [got, want] = [printSchema(buildClientSchema(data)), printSchema(buildSchema(fs.readFileSync(rest[0], 'utf8')))];
  console.log(got);
  console.log(got === want ? 'equal' : 'differs');
}

async function subscribe() {
  const client = require('graphql-sse').createClient({ url, retryAttempts: 0 });
  const wanted = Number(rest[0]);
  let n = 0;
  for await (const { data, errors } of client.iterate({
    query: 'subscription ($after: ID) { scored(after: $after) { id seq sentiment { label score } } }', variables: { after: rest[1] },
  })) {
    console.log(JSON.stringify(errors || data.scored));
    if (++n === wanted) break;
  }
  client.dispose();
}

await { audit, schema, subscribe }[what]();
