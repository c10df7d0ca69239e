// GraphiQL on the server's own /graphql. Operations are asked by fetch, subscriptions by graphql-sse; the headers of both, such as a token, are
// those of the editor "Headers", which this page keeps no longer than it is open.
import { useMemo, useRef, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { GraphiQL } from 'graphiql';
import { getOperationAST, parse } from 'graphql';
import { createClient } from 'graphql-sse';
import './style.css';

const URL = 'graphql';
const PAUSE_MS = 400; // with which a token is typed to its end
// Without a token behind it, the word Bearer is not sent.
const HEADERS = '{\n  "Authorization": "Bearer "\n}';
const QUERY = `# Operations on the texts of this server. Ctrl-Space completes, Ctrl-Enter runs.
# If the server asks for a token, put it into "Headers" below.

query {
  sentiment(text: "I love it") {
    label
    score
  }
}
`;

// What the page keeps, its tabs and history, without the headers of each: a token is nobody's who uses this browser later.
const storage = {
  get length() { return localStorage.length; },
  getItem: (key) => localStorage.getItem(key),
  removeItem: (key) => localStorage.removeItem(key),
  clear: () => localStorage.clear(),
  setItem: (key, value) => localStorage.setItem(key, withoutHeaders(value)),
};

function withoutHeaders(value) {
  try {
    return JSON.stringify(JSON.parse(value), (name, v) => (name === 'headers' ? undefined : v));
  } catch {
    return value; // a document
  }
}

function sent(headers) {
  return Object.fromEntries(Object.entries(headers || {}).filter(([, value]) => !/^(Bearer)?\s*$/i.test(value)));
}

function isSubscription({ query, operationName }) {
  try {
    return getOperationAST(parse(query), operationName)?.operation === 'subscription';
  } catch {
    return false; // the server says what is wrong with it
  }
}

async function ask(params, headers) {
  const answer = await fetch(URL, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/graphql-response+json, application/json', ...headers },
    body: JSON.stringify(params),
  });
  return answer.json();
}

function fetcher(params, options) {
  const headers = sent(options?.headers);
  if (isSubscription(params))
    return createClient({ url: URL, headers, retryAttempts: 0 }).iterate(params);
  return ask(params, headers);
}

function tokenOf(headers) {
  try {
    return sent(JSON.parse(headers)).Authorization || '';
  } catch {
    return undefined; // in the midst of typing
  }
}

// A new fetcher makes GraphiQL read the schema again, which a server with tokens shows only to those who have one.
function Page() {
  const [token, setToken] = useState('');
  const current = useMemo(() => (...asked) => fetcher(...asked), [token]);
  const typing = useRef();
  const edited = (headers) => {
    clearTimeout(typing.current);
    typing.current = setTimeout(() => setToken((before) => tokenOf(headers) ?? before), PAUSE_MS);
  };
  return <GraphiQL fetcher={current} storage={storage} defaultQuery={QUERY} defaultHeaders={HEADERS} onEditHeaders={edited}
    shouldPersistHeaders={false} showPersistHeadersSettings={false} />;
}

createRoot(document.getElementById('graphiql')).render(<Page />);
