// The live feed: messages as they are scored. A few rows are kept and filled anew, at most twice a second, whatever comes in.
import { onToken } from './api.js';
import { announce, byId, debounce, make, reducedMotion, setText } from './dom.js';
import { clock, count, signed, SIGN } from './format.js';
import { onState, setState, state, view } from './state.js';
import { follow } from './stream.js';

const ROWS = 30;
const SHOW_MS = 500;
const CALM_MS = 2000;
const HIDDEN_MS = 60e3; // a page that nobody sees lets go of its connection
const SAY_MS = 30e3;
const RATE_MS = 10e3;
const CUT = 280; // characters of a text

const lines = []; // the newest events' JSON, first the newest
const rows = [];
const times = []; // [ms, events] of the last seconds
let stop = null;
let stopped = 0; // when the page was hidden
let paused = false;
let unseen = 0;
let said = 0;
let since = 0; // events not announced yet
let dirty = false;
let timer = null;
let changed = () => {};

// f is called when messages have come, at most as often as rows are filled.
export const onFeed = (f) => { changed = f; };

function newRow() {
  const parts = { sign: make('span', { class: 'sign', 'aria-hidden': 'true' }), label: make('span', { class: 'visually-hidden' }),
    score: make('span', { class: 'score' }), source: make('span', { class: 'source' }), time: make('time'), text: make('span', { class: 'text', dir: 'auto' }) };
  const button = make('button', { type: 'button', class: 'event', onclick: () => setState({ message: parts.id }) },
    make('span', { class: 'meta' }, parts.sign, parts.label, parts.score, parts.source, parts.time), parts.text);
  return { ...parts, button, item: make('li', {}, button), fill(m) { fillRow(this, parts, m); } };
}

function fillRow(row, parts, m) {
  const { label, score } = m.sentiment || {};
  parts.id = m.id;
  row.button.className = `event ${label || 'none'}`;
  setText(parts.sign, SIGN[label] || '·');
  setText(parts.label, `${label || 'not scored'}, `);
  setText(parts.score, signed(score));
  setText(parts.source, typeof m.source === 'string' ? m.source : '');
  setText(parts.time, clock(m.time));
  setText(parts.text, m.text.length > CUT ? `${m.text.slice(0, CUT)} …` : m.text);
}

function wanted(m) {
  const { score_min: least, score_max: most, q } = state();
  const score = m.sentiment?.score;
  if (least && !(score >= Number(least))) return false;
  if (most && !(score <= Number(most))) return false;
  return !q || m.text.toLowerCase().includes(q.toLowerCase());
}

function rate() {
  const now = performance.now();
  while (times.length && times[0][0] < now - RATE_MS) times.shift();
  const n = times.reduce((sum, [, k]) => sum + k, 0);
  return (n * 1000) / RATE_MS;
}

function figures() {
  const r = rate();
  setText(byId('rate'), `${r >= 10 || r === 0 ? Math.round(r) : r.toFixed(1)} a second`);
  setText(byId('unseen'), paused && unseen ? `${count(unseen)} new` : '');
}

function tell() {
  const now = performance.now();
  if (!since || now - said < SAY_MS) return;
  announce(`${count(since)} new ${since === 1 ? 'message' : 'messages'} in the live feed.`);
  said = now;
  since = 0;
}

function show() {
  timer = null;
  figures();
  if (!dirty || paused || document.hidden || view() !== 'overview') return;
  dirty = false;
  const list = byId('events');
  while (rows.length < lines.length) {
    rows.push(newRow());
    list.append(rows.at(-1).item);
  }
  lines.forEach((m, i) => rows[i].fill(m));
  byId('feed-empty').hidden = lines.length > 0;
  tell();
}

function soon() {
  timer ??= setTimeout(show, reducedMotion() ? CALM_MS : SHOW_MS);
}

function take(data) {
  let m;
  try {
    m = JSON.parse(data);
  } catch {
    return; // no record, whatever it is
  }
  if (!wanted(m)) return;
  lines.unshift(m);
  if (lines.length > ROWS) lines.pop();
  const now = performance.now();
  if (times.length && now - times.at(-1)[0] < 250) times.at(-1)[1]++;
  else times.push([now, 1]);
  dirty = true;
  since++;
  if (paused) unseen++;
  soon();
  changed();
}

function waitingText(why) {
  if (why?.status === 401) return 'Not signed in';
  return why ? `Not connected: ${why.message}` : 'Connecting again …';
}

function status(what, why) {
  const text = { connecting: 'Connecting …', live: paused ? 'Paused' : 'Live', waiting: waitingText(why) }[what];
  byId('feed-state').className = `state ${what}${paused ? ' paused' : ''}`;
  setText(byId('feed-state'), text);
  byId('feed-state').dataset.state = what;
}

function start() {
  stop?.();
  const { label, source } = state();
  stop = follow(new URLSearchParams({ ...(label && { label }), ...(source && { source }) }), { event: take, state: status });
}

function restart() {
  lines.length = 0;
  rows.splice(0).forEach((row) => row.item.remove());
  byId('feed-empty').hidden = false;
  start();
}

function pause() {
  paused = !paused;
  unseen = 0;
  setText(byId('pause'), paused ? 'Resume' : 'Pause');
  status(byId('feed-state').dataset.state || 'connecting');
  announce(paused ? 'The live feed is paused.' : 'The live feed goes on.');
  soon();
}

function visible() {
  clearTimeout(stopped);
  if (document.hidden) {
    stopped = setTimeout(() => {
      stop?.();
      stop = null;
    }, HIDDEN_MS);
  } else {
    if (!stop) start();
    soon();
  }
}

export function startFeed() {
  byId('pause').addEventListener('click', pause);
  document.addEventListener('visibilitychange', visible);
  setInterval(() => !document.hidden && !timer && figures(), 2000);
  const again = debounce(200, restart);
  onState((keys) => {
    if (['label', 'source', 'q', 'score_min', 'score_max'].some((k) => keys.has(k))) again();
    else soon();
  });
  onToken((what) => what === 'changed' && restart());
  start();
}
