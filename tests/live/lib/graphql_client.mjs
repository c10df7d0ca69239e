// What npm's clients say of a running server:
//
//     node graphql_client.mjs audit URL            graphql-http's audit, a line for what is not ok, then "N of M"
//     node graphql_client.mjs schema URL FILE      what introspection shows, printed as SDL, then whether that equals the file's, printed likewise
//     node graphql_client.mjs subscribe URL AFTER|'' [single]    the messages of a subscription by graphql-sse's client, a line each; and
//                                          "connected" each time that it is
//     node graphql_client.mjs operations URL [single]    what graphql-sse's client is answered to operations of all kinds at once
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

// Goes on where it was, however often the connection is lost: the client's own next attempt sends the variables as they are then.
async function subscribe() {
  const variables = { after: rest[0] || undefined };
  const client = require('graphql-sse').createClient({
    url, singleConnection: rest[1] === 'single', retryAttempts: Infinity, retry: () => new Promise((resolve) => setTimeout(resolve, 100)),
    on: { connected: () => console.log('connected') },
  });
  await new Promise((_, reject) => {
    client.subscribe({ query: 'subscription ($after: ID) { scored(after: $after) { id seq sentiment { label } } }', variables }, {
      next: ({ data, errors }) => {
        if (errors) return reject(new Error(JSON.stringify(errors)));
        console.log(JSON.stringify(data.scored));
        variables.after = data.scored.seq;
      },
      error: reject,
      complete: () => reject(new Error('the subscription is complete')),
    });
  });
}

// Operations of all kinds at once, each by its own connection or all by one: what each was answered, in the order of the names.
async function operations() {
  const client = require('graphql-sse').createClient({ url, singleConnection: rest[0] === 'single', retryAttempts: 0 });
  const ask = async (query, most = Infinity) => {
    const answers = [];
    for await (const answer of client.iterate({ query })) if (answers.push(answer) === most) break;
    return answers;
  };
  const positive = ask('subscription { scored(after: "0", filter: { label: POSITIVE }) { id } }', 2);
  const negative = ask('subscription { scored(after: "0", filter: { label: NEGATIVE }) { id } }', 1);
  const query = ask('{ sentiment(text: "I love it") { label } }');
  const broken = ask('{ nope }').catch((e) => (Array.isArray(e) ? e : String(e)));
  const submit = (id, text) => `{ id: "${id}", text: "${text}" }`;
  const mutation = ask(`mutation { submit(messages: [${submit('a', 'I love it')}, ${submit('b', 'I hate it')}, ${submit('c', 'so good')}], waitMs: 30000) { id } }`);
  console.log(JSON.stringify({ query: await query, mutation: await mutation, broken: await broken, positive: await positive, negative: await negative }));
  client.dispose();
}

await { audit, schema, subscribe, operations }[what]();
