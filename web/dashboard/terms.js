// The words that contribute most: a table whose bars lean to the side of their sign.
import { scan } from './api.js';
import { byId, make, setText } from './dom.js';
import { download } from './download.js';
import { count, fileName, signed } from './format.js';
import { png, svgFile } from './image.js';
import { panel } from './panel.js';
import { query, setState } from './state.js';
import { barsSvg } from './svg.js';
import { colours } from './theme.js';

const WORDS = 16;
let shown = [];

function row(term, most) {
  const kind = term.contribution < 0 ? 'negative' : 'positive';
  const bar = make('span', { class: `bar ${kind}` });
  bar.style.width = `${(Math.abs(term.contribution) / most) * 50}%`;
  return make('tr', {},
    make('th', { scope: 'row' }, make('button', { type: 'button', class: 'link', dir: 'auto', title: 'Show the messages with this word',
      onclick: () => setState({ view: 'messages', q: term.word }) }, term.word)),
    make('td', { class: 'bars', 'aria-hidden': 'true' }, bar),
    make('td', { class: 'number' }, signed(term.contribution, 1)), make('td', { class: 'number' }, count(term.count)),
    make('td', { class: 'number wide' }, signed(term.mean)));
}

function show({ items, sample, model }) {
  shown = items.filter((t) => t.contribution);
  if (!shown.length) return false;
  const most = Math.max(...shown.map((t) => Math.abs(t.contribution)));
  byId('terms-rows').replaceChildren(...shown.map((t) => row(t, most)));
  setText(byId('terms-note'), `Of ${sample.complete ? 'all' : 'the newest'} ${count(sample.messages)} messages, as ${model.split('@')[0]} explains them.`);
  return true;
}

async function file(form) {
  const rows = shown.map((t) => ({ word: t.word, value: t.contribution, text: `${signed(t.contribution, 1)} (${count(t.count)})` }));
  const svg = barsSvg(rows, colours(), 'Words that contribute most');
  download(fileName('terms', form), form === 'svg' ? svgFile(svg) : await png(svg));
}

export const termsPath = () => `v1/terms?${query({ limit: WORDS })}`;

export function startTerms() {
  for (const form of ['svg', 'png']) byId(`terms-${form}`).addEventListener('click', () => shown.length && file(form));
  return panel('terms', {
    load: (signal) => scan(termsPath(), signal), show, empty: 'No word contributes here.', optional: 'terms-card',
  });
}
