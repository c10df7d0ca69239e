// One message: its text with the words marked, its label to correct, and all that is stored with it. Open while the address names it.
import { score, isAbort } from './api.js';
import { byId, make, note } from './dom.js';
import { moment, signed } from './format.js';
import { marked, reasons } from './highlight.js';
import { labelEditor, readMessage } from './label.js';
import { onState, setState, state } from './state.js';

const SHOWN = ['id', 'text', 'time', 'source', 'sentiment', 'version'];
let loading;
let changed = () => {};

// f gets each message whose label was corrected here.
export const onCorrected = (f) => { changed = f; };

// Its own model explains it; if this server does not have it, the server's.
async function explain(message, signal) {
  const model = message.sentiment?.model;
  try {
    return (await score([{ text: message.text }], { model, explain: true, signal }))[0].sentiment;
  } catch (e) {
    if (!model || e.status !== 400) throw e;
    return (await score([{ text: message.text }], { explain: true, signal }))[0].sentiment;
  }
}

function facts(message) {
  const s = message.sentiment;
  const rows = [
    ['Score', s ? signed(s.score) : 'not scored'], ['Time', moment(message.time)], ['Source', message.source ?? '–'],
    ['Model', s?.model ?? '–'], ['Id', message.id], ['Version', String(message.version)],
    ...Object.entries(message).filter(([k]) => !SHOWN.includes(k)).map(([k, v]) => [k, typeof v === 'string' ? v : JSON.stringify(v)]),
  ];
  return make('dl', { class: 'facts' }, rows.map(([k, v]) => make('div', {}, make('dt', {}, k), make('dd', {}, v))));
}

async function show(message, signal) {
  const text = make('div', {}, marked(message.text));
  const why = make('div', { 'aria-busy': 'true' }, make('p', { class: 'dim' }, 'Looking for the words that count …'));
  const label = make('div', { class: 'label-cell' });
  const figures = make('div', {}, facts(message));
  labelEditor(label, message, (now) => {
    figures.replaceChildren(facts(now));
    changed(now);
  });
  byId('message-body').replaceChildren(text, label, make('h3', {}, 'What contributes'), why, make('h3', {}, 'Details'), figures);
  try {
    const explained = await explain(message, signal);
    text.replaceChildren(marked(message.text, explained.why));
    why.replaceChildren(reasons(explained.why));
    if (message.sentiment?.model && explained.model !== message.sentiment.model)
      why.append(make('p', { class: 'dim' }, `This server does not have the model of the result; ${explained.model} explains the text.`));
  } catch (e) {
    if (!isAbort(e)) why.replaceChildren(note('error', `The words cannot be explained: ${e.message}.`));
  }
  why.removeAttribute('aria-busy');
}

async function open(id) {
  loading?.abort();
  loading = new AbortController();
  const { signal } = loading;
  const dialog = byId('message');
  byId('message-body').replaceChildren(note('loading', 'Loading …'));
  if (!dialog.open) dialog.showModal();
  try {
    await show(await readMessage(id, signal), signal);
  } catch (e) {
    if (isAbort(e)) return;
    const text = e.status === 404 ? 'There is no message of this id (any more).' : `The message cannot be read: ${e.message}.`;
    byId('message-body').replaceChildren(note('error', text, e.status !== 404 && (() => open(id))));
  }
}

function sync() {
  const id = state().message;
  if (id) open(id);
  else if (byId('message').open) byId('message').close();
}

export function startMessage() {
  const dialog = byId('message');
  byId('message-close').addEventListener('click', () => dialog.close());
  dialog.addEventListener('close', () => {
    loading?.abort();
    setState({ message: null }, { replace: true });
  });
  dialog.addEventListener('click', (e) => {
    if (e.target === dialog) dialog.close(); // beside it
  });
  onState((keys) => keys.has('message') && sync());
  sync();
}
