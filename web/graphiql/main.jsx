// GraphiQL on the server's own /graphql. Operations are asked by fetch, subscriptions by graphql-sse; the headers of both, such as a token, are
// those of the editor "Headers", which this page keeps no longer than it is open.
import { useMemo, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { GraphiQL } from 'graphiql';
import { getOperationAST } from 'graphql';
import { createClient } from 'graphql-sse';
import './style.css';

const URL = 'graphql';
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

function sent(headers) {
  return Object.fromEntries(Object.entries(headers || {}).filter(([, value]) => !/^(Bearer)?\s*$/i.test(value)));
}

function isSubscription(params, options) {
  return getOperationAST(options?.documentAST, params.operationName)?.operation === 'subscription';
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
  if (options?.documentAST && isSubscription(params, options))
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
  const edited = (headers) => {
    const now = tokenOf(headers);
    if (now !== undefined) setToken(now);
  };
  return <GraphiQL fetcher={current} defaultQuery={QUERY} defaultHeaders={HEADERS} onEditHeaders={edited} />;
}

createRoot(document.getElementById('graphiql')).render(<Page />);
