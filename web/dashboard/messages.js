// The table of messages: sorted by time or score over all that match, a page at a time, each label to correct in place.
import { scan, isAbort } from './api.js';
import { announce, byId, make, setText } from './dom.js';
import { download, exportMessages } from './download.js';
import { count, fileName, moment, signed } from './format.js';
import { labelEditor } from './label.js';
import { panel, problemText } from './panel.js';
import { matching } from './summary.js';
import { query, setState, state, address } from './state.js';

const LIMIT = 25;
// What a column's button asks for, and what that is called.
const ORDERS = {
  newest: { column: 'time', direction: 'descending', other: 'oldest' }, oldest: { column: 'time', direction: 'ascending', other: 'newest' },
  '-score': { column: 'score', direction: 'descending', other: 'score' }, score: { column: 'score', direction: 'ascending', other: '-score' },
};
const FIRST = { time: 'newest', score: '-score' };
let next;
let cells = new Map(); // by id, what a correction elsewhere changes

const order = () => (state().order in ORDERS ? state().order : 'newest');
const limit = () => Math.min(Math.max(Number(state().limit) || LIMIT, 1), 1000);

function scoreBar(score) {
  if (typeof score !== 'number') return null;
  const bar = make('span', { class: `bar ${score < 0 ? 'negative' : 'positive'}` });
  bar.style.width = `${Math.abs(score) * 50}%`;
  return make('span', { class: 'bars', 'aria-hidden': 'true' }, bar);
}

function row(m) {
  const label = make('td', { class: 'c-label label-cell', role: 'cell' });
  labelEditor(label, m);
  cells.set(m.id, { label, message: m });
  const source = typeof m.source === 'string' ? m.source : '–';
  return make('tr', { role: 'row' },
    make('td', { class: 'c-time', role: 'cell' }, moment(m.time)), make('td', { class: 'c-source', role: 'cell', title: source }, source), label,
    make('td', { class: 'c-score number', role: 'cell' }, signed(m.sentiment?.score), scoreBar(m.sentiment?.score)),
    make('td', { class: 'c-text', role: 'cell' }, make('a', { class: 'text', dir: 'auto', href: address({ message: m.id }), onclick: (e) => {
      e.preventDefault();
      setState({ message: m.id });
    } }, m.text || '(empty)')));
}

// A correction made elsewhere on the page.
export function corrected(message) {
  const cell = cells.get(message.id);
  if (!cell) return;
  Object.assign(cell.message, message);
  labelEditor(cell.label, cell.message);
}

const stack = () => history.state?.stack || [];

// Where the page stands among all; shown again when it is known how many there are. By an address alone nobody knows which page it is.
export function showWhere() {
  const from = stack().length * limit();
  const to = from + cells.size;
  const all = matching();
  if (state().after && !stack().length) setText(byId('where'), `${count(cells.size)} messages`);
  else setText(byId('where'), `${count(from + 1)}–${count(to)}${all === null ? '' : ` of ${count(Math.max(all, to))}`}`);
}

function heads() {
  const { column, direction } = ORDERS[order()];
  for (const name of ['time', 'score']) {
    byId(`sort-${name}`).closest('th').setAttribute('aria-sort', name === column ? direction : 'none');
    setText(byId(`sort-${name}`).querySelector('.arrow'), name !== column ? '' : direction === 'ascending' ? '▲' : '▼');
  }
}

function show(page) {
  cells = new Map();
  next = page.next;
  byId('rows').replaceChildren(...page.items.map(row));
  heads();
  byId('limit').value = String(limit());
  if (!page.items.length) return false;
  showWhere();
  byId('page-back').disabled = !state().after;
  byId('page-on').disabled = !next;
  return true;
}

function turn(on) {
  const here = stack();
  if (on) setState({ after: new URLSearchParams(next.split('?')[1]).get('after') }, { kept: { stack: [...here, state().after || null] } });
  else setState({ after: here.at(-1) ?? null }, { kept: { stack: here.slice(0, -1) } });
  byId('messages-title').focus();
}

let exporting = null;

async function exportAs(form) {
  if (exporting) return;
  exporting = new AbortController();
  const progress = (n) => setText(byId('export-state'), `${count(n)} messages …`);
  byId('export-cancel').hidden = false;
  try {
    const file = await exportMessages(form, order(), progress, exporting.signal);
    download(fileName('messages', form), file);
    setText(byId('export-state'), 'The file is ready.');
    announce('The file is ready.');
  } catch (e) {
    setText(byId('export-state'), isAbort(e) ? 'Cancelled.' : problemText(e));
  }
  exporting = null;
  byId('export-cancel').hidden = true;
}

export function startMessages() {
  for (const name of ['time', 'score'])
    byId(`sort-${name}`).addEventListener('click', () => setState({ order: ORDERS[order()].column === name ? ORDERS[order()].other : FIRST[name] }));
  byId('page-on').addEventListener('click', () => turn(true));
  byId('page-back').addEventListener('click', () => turn(false));
  byId('limit').addEventListener('change', (e) => setState({ limit: e.target.value, after: null }));
  for (const form of ['csv', 'ndjson']) byId(`export-${form}`).addEventListener('click', () => exportAs(form));
  byId('export-cancel').addEventListener('click', () => exporting?.abort());
  return panel('messages-list', {
    load: (signal) => scan(`v1/messages?${query({ order: order(), limit: limit(), after: state().after })}`, signal), show,
    empty: 'No message matches the filter.',
  });
}
