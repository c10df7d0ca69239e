// Server-sent events by fetch, which can carry a token: connects again by itself, after the last event, and waits longer each time in vain.
import { authorization, isAbort, problemOf, token } from './api.js';

const SILENT_MS = 45e3; // the server sends a comment every 15 seconds
const MOST_MS = 30e3;

// Gives each event of the bytes to `on` as {event, id, data}.
export function eventParser(on) {
  const decoder = new TextDecoder();
  let rest = '';
  let event = {};
  const take = (line) => {
    if (line === '') {
      if (Object.keys(event).length) on(event);
      event = {};
      return;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    event[name] = name === 'data' && 'data' in event ? `${event.data}\n${value}` : value;
  };
  return (bytes) => {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
    rest = lines.pop();
    for (const line of lines) take(line.endsWith('\r') ? line.slice(0, -1) : line);
  };
}

// Follows v1/events?QUERY. `on` has event(data), state('connecting' | 'live' | 'waiting', why). Returns a function that stops it.
export function follow(query, on) {
  let stopped = false;
  let last;
  let retry = 1000;
  let failures = 0;
  let abort;
  let wake;

  async function connect() {
    abort = new AbortController();
    on.state('connecting');
    let silent;
    const heard = () => {
      clearTimeout(silent);
      silent = setTimeout(() => abort.abort(), SILENT_MS);
    };
    heard();
    const used = token();
    try {
      const answer = await fetch(`v1/events?${query}`, {
        headers: { Accept: 'text/event-stream', ...authorization(), ...(last && { 'Last-Event-ID': last }) }, signal: abort.signal, cache: 'no-store',
      });
      if (!answer.ok) throw await problemOf(answer, used);
      on.state('live');
      const parse = eventParser(({ event, id, data, retry: pause }) => {
        if (id) last = id;
        if (Number(pause)) retry = Number(pause);
        if (event === 'scored') on.event(data);
        failures = 0;
      });
      const reader = answer.body.getReader();
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
        heard();
        parse(piece.value);
      }
    } finally {
      clearTimeout(silent);
    }
  }

  async function loop() {
    while (!stopped) {
      let why = null;
      try {
        await connect();
      } catch (e) {
        why = isAbort(e) ? null : e;
      }
      if (stopped) return;
      if (why?.status === 401 || why?.status === 403) {
        on.state('waiting', why);
        return;
      }
      on.state('waiting', why);
      const ms = Math.max(Math.min(retry * 2 ** failures++, MOST_MS), (why?.after || 0) * 1000) * (0.75 + Math.random() / 2);
      await new Promise((done) => {
        wake = done;
        setTimeout(done, ms);
      });
    }
  }

  const online = () => wake?.();
  addEventListener('online', online);
  loop();
  return () => {
    stopped = true;
    removeEventListener('online', online);
    abort?.abort();
    wake?.();
  };
}
