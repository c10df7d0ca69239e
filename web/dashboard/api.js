// Requests to the server: the token, problems (RFC 9457), a polite second try, and few scans at a time.

const KEY = 'senti-token';
const SCANS = 3; // at a time; the server lets a few run
const TRIES = 3;
const asking = [];

export class Problem extends Error {
  constructor(status, problem, after) {
    super(problem?.detail || (status ? `the server answered ${status}` : 'the server cannot be reached'));
    this.status = status;
    this.kind = problem?.type?.split(':').pop();
    this.after = after;
  }
}

export const token = () => sessionStorage.getItem(KEY);

// Sets or, with null, forgets the token: it is kept until the tab is closed.
export function setToken(value) {
  if (value) sessionStorage.setItem(KEY, value);
  else sessionStorage.removeItem(KEY);
  asking.forEach((f) => f('changed'));
}

// Calls f('needed') when the server asks for a token, and f('changed') when there is another one.
export const onToken = (f) => asking.push(f);

export const authorization = () => (token() ? { Authorization: `Bearer ${token()}` } : {});

// What is wrong, by the answer to a request with the token `used`. If there is another one by now, it is the next request that counts.
export async function problemOf(answer, used) {
  const said = await answer.json().catch(() => null);
  if (answer.status === 401 && used === token()) asking.forEach((f) => f('needed'));
  return new Problem(answer.status, said, Number(answer.headers.get('Retry-After')) || 1);
}

async function once(path, { headers, ...options }) {
  const used = token();
  let answer;
  try {
    answer = await fetch(path, { ...options, headers: { ...authorization(), ...headers } });
  } catch (e) {
    throw e.name === 'AbortError' ? e : new Problem(0);
  }
  if (!answer.ok) throw await problemOf(answer, used);
  return answer;
}

const pause = (ms, signal) => new Promise((done, failed) => {
  const timer = setTimeout(done, ms);
  signal?.addEventListener('abort', () => {
    clearTimeout(timer);
    failed(new DOMException('aborted', 'AbortError'));
  });
});

// The answer to a request, which must succeed; throws a Problem. What may be repeated is tried again when the server is busy.
export async function ask(path, options = {}) {
  for (let tried = 1; ; tried++)
    try {
      return await once(path, options);
    } catch (e) {
      const again = [429, 503].includes(e.status) && (!options.method || options.repeat) && tried < TRIES;
      if (!again) throw e;
      await pause(Math.min(e.after, 10) * 1000 * (0.8 + 0.4 * Math.random()), options.signal);
    }
}

let running = 0;
const waiting = [];

async function inTurn(f) {
  if (running >= SCANS) await new Promise((go) => { waiting.push(go); });
  else running++;
  try {
    return await f();
  } finally {
    const next = waiting.shift();
    if (next) next();
    else running--;
  }
}

// What early.js asked for before the page's other code was there: answers by path, each for one use. One that failed is asked for again. `shown`: resolves
// when the first figures stand there; `over`: they are shown by the other code now.
export const early = (globalThis.early ??= new Map());

export async function scanEarly(path) {
  const answer = scanText(path);
  early.set(path, answer);
  return JSON.parse((await answer).text);
}


// A page of a list, or figures: {text, next}, where `next` is the path of the next page.
export function scanText(path, signal) {
  const asked = early.get(path);
  early.delete(path);
  if (asked) return asked.catch(() => scanText(path, signal));
  return inTurn(async () => {
    signal?.throwIfAborted();
    const answer = await ask(path, { signal });
    const next = /<\/([^>]*)>; *rel="next"/.exec(answer.headers.get('Link') || '');
    return { text: await answer.text(), next: next?.[1] };
  });
}

// The same, as what its JSON says.
export async function scan(path, signal) {
  const { text, next } = await scanText(path, signal);
  return { ...JSON.parse(text), next };
}

export const isAbort = (e) => e.name === 'AbortError';

// Scores records, each with `text`: one record or error for each, in their order.
export async function score(records, { model, explain, signal } = {}) {
  const asked = new URLSearchParams({ ...(model && { model }), ...(explain && { explain: true }) });
  const answer = await ask(`v1/sentiment?${asked}`, {
    method: 'POST', repeat: true, signal, headers: { 'Content-Type': 'application/x-ndjson' }, body: records.map((r) => `${JSON.stringify(r)}\n`).join(''),
  });
  return (await answer.text()).split('\n').filter(Boolean).map((line) => JSON.parse(line));
}

let known;
// The server's models, its own first; asked once.
export function models() {
  known ??= ask('v1/models').then(async (answer) => (await answer.json()).items);
  known.catch(() => { known = null; });
  return known;
}
onToken(() => { known = null; });
