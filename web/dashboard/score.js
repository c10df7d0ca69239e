// The box that scores what one types, by several models side by side.
import { isAbort, models, score } from './api.js';
import { byId, debounce, make, note } from './dom.js';
import { percent, signed } from './format.js';
import { chip } from './label.js';
import { marked, reasons } from './highlight.js';
import { problemText } from './panel.js';
import { setState, state } from './state.js';

const PAUSE_MS = 250;
const AT_FIRST = 3; // models: the server's own, and these before others
const OWN = ['plus', 'linear'];
let running = null;

const chosen = () => [...byId('models').querySelectorAll('input:checked')].map((i) => i.value);

function meter(value) {
  const bar = make('span', { class: `bar ${value < 0 ? 'negative' : 'positive'}` });
  bar.style.width = `${Math.abs(value) * 50}%`;
  return make('div', { class: 'bars meter', 'aria-hidden': 'true' }, bar);
}

function shares(s) {
  if (typeof s.pos !== 'number') return null;
  return make('p', { class: 'dim' }, `+ ${percent(s.pos)}   ○ ${percent(s.neu)}   − ${percent(s.neg)}`);
}

function result(text, s) {
  return [
    make('div', { class: 'row spread' }, chip(s.label), make('strong', { class: 'big number' }, signed(s.score, 3))), meter(s.score), shares(s),
    typeof s.subjectivity === 'number' && make('p', { class: 'dim' }, `subjectivity ${s.subjectivity.toFixed(2)}`), marked(text, s.why),
    make('details', {}, make('summary', {}, 'What contributes'), reasons(s.why)),
  ].filter(Boolean);
}

// The cards stay while the next results come, so that nothing jumps.
function card(name) {
  const found = [...byId('results').children].find((c) => c.dataset.model === name);
  if (found) return found;
  const made = make('article', { class: 'card result', 'data-model': name }, make('h4', {}, name), make('div', { class: 'body' }));
  byId('results').append(made);
  return made;
}

async function scoreBy(name, text, signal) {
  const body = card(name).querySelector('.body');
  const open = body.querySelector('details')?.open;
  try {
    const [record] = await score([{ text }], { model: name, explain: true, signal });
    if (record.error) throw new Error(record.error.message);
    body.replaceChildren(...result(text, record.sentiment));
    if (open) body.querySelector('details').open = true;
  } catch (e) {
    if (!isAbort(e)) body.replaceChildren(note('error', problemText(e)));
  }
}

async function run() {
  running?.abort();
  running = new AbortController();
  const text = byId('text').value;
  const names = chosen();
  for (const c of [...byId('results').children]) if (!names.includes(c.dataset.model) || !text.trim()) c.remove();
  byId('results-empty').hidden = Boolean(text.trim() && names.length);
  if (!text.trim()) return;
  await Promise.all(names.map((name) => scoreBy(name, text, running.signal)));
  names.forEach((name) => byId('results').append(card(name))); // in the order of the models
}

const atFirst = ([own, ...others]) => [own, ...OWN.filter((n) => others.includes(n)), ...others.filter((n) => !OWN.includes(n))].slice(0, AT_FIRST);

function choose() {
  setState({ models: chosen().join(',') }, { replace: true });
  run();
}

// Returns what prepares the view; the models are asked for when it is first seen.
export function startScore() {
  byId('text').addEventListener('input', debounce(PAUSE_MS, run));
  let ready;
  async function prepare() {
    const all = await models();
    const wanted = state().models?.split(',') || atFirst(all.map((m) => m.name));
    byId('models').replaceChildren(...all.map((m) => make('label', { class: 'check', title: m.model },
      make('input', { type: 'checkbox', value: m.name, checked: wanted.includes(m.name), onchange: choose }), m.name)));
    byId('file-model').replaceChildren(...all.map((m) => make('option', { value: m.name }, m.name)));
    byId('models-state').replaceChildren();
    run();
  }
  const load = () => {
    ready ??= prepare().catch((e) => {
      ready = null;
      if (!isAbort(e)) byId('models-state').replaceChildren(note('error', problemText(e), load));
    });
    return ready;
  };
  return load;
}
