// graphql_http.mjs - for the bench: npm's graphql-http over node:http, with the schema of the file that is named; sentiment answers a constant.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { buildSchema } from 'graphql';
import { createHandler } from 'graphql-http/lib/use/http';

const schema = buildSchema(readFileSync(process.argv[2], 'utf8'));
const result = { label: 'POSITIVE', score: 0.6369, neg: 0, neu: 0.192, pos: 0.808, model: 'vader' };
const handler = createHandler({ schema, rootValue: { sentiment: () => result } });
const server = createServer(handler);
server.listen(0, '127.0.0.1', () => console.log(`listening on 127.0.0.1:${server.address().port}`));
