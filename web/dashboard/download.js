// Files for the person: what the page has made, handed over by the browser itself.
import { scanText } from './api.js';
import { make } from './dom.js';
import { csvLine } from './csv.js';
import { query } from './state.js';

const COLUMNS = ['id', 'time', 'source', 'text', 'label', 'score', 'corrected', 'model', 'version'];

export function download(name, blob) {
  const url = URL.createObjectURL(blob);
  const link = make('a', { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60e3);
}

function row(m) {
  const s = m.sentiment || {};
  return [m.id, m.time, m.source, m.text, s.label, s.score, s.corrected ? 'true' : '', s.model, m.version]
    .map((v) => (v !== null && typeof v === 'object' ? JSON.stringify(v) : v));
}

// The items of a page as they are spelled: what JavaScript would round or reorder stays as it is stored.
export function* rawItems(text) {
  let depth = 0;
  let from = 0;
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}]/g))
    if (token === '{' && ++depth === 2) from = index;
    else if (token === '}' && --depth === 1) yield text.slice(from, index + 1);
}

const FORMS = {
  csv: { type: 'text/csv', head: '\ufeff' + csvLine(COLUMNS), line: (raw) => csvLine(row(JSON.parse(raw))) },
  ndjson: { type: 'application/x-ndjson', head: '', line: (raw) => `${raw}\n` },
};

// All messages of the filter, page by page, as a file; `progress` gets how many there are so far. Finished pieces are the browser's, not the heap's.
export async function exportMessages(form, order, progress, signal) {
  const { type, head, line } = FORMS[form];
  const pieces = [head];
  let n = 0;
  for (let next = `v1/messages?${query({ order, limit: 1000 })}`; next;) {
    const page = await scanText(next, signal);
    const items = [...rawItems(page.text)];
    pieces.push(new Blob([items.map(line).join('')]));
    n += items.length;
    progress(n);
    next = page.next;
  }
  return new Blob(pieces, { type });
}
