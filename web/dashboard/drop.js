// Scoring a file: read, sent and answered in slices, so that its size does not matter; the results are files to take away.
import { isAbort, score } from './api.js';
import { csvLine, csvParser, delimiterOf } from './csv.js';
import { announce, breathe, byId, make, setText } from './dom.js';
import { download } from './download.js';
import { LABELS, SIGN, bytes, count, percent, signed } from './format.js';
import { chip } from './label.js';
import { problemText } from './panel.js';

const SLICE_ROWS = 500;
const SLICE_BYTES = 256e3; // of text
const LOOK = 64e3; // bytes of the beginning, to guess by
const PREVIEW = 8;
const NAMES = /^(text|comment|comments|message|review|body|tweet|content|feedback|answer|description|title)$/i;
const RESULT = ['sentiment_label', 'sentiment_score', 'sentiment_model', 'sentiment_error'];

let file = null;
let looked = null; // {kind, delimiter, encoding, header}
let running = null;
let results = null;

// ---- what is in the file ----

function kindOf(name, head) {
  if (/\.(ndjson|jsonl)$/i.test(name) || (/\.json$/i.test(name) && /^\s*\{/.test(head))) return 'lines';
  return /\.(csv|tsv|tab)$/i.test(name) ? 'csv' : 'text';
}

async function look(given) {
  const head = await given.slice(0, LOOK).arrayBuffer();
  let encoding = 'utf-8';
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
  } catch {
    encoding = 'windows-1252';
  }
  const text = new TextDecoder(encoding).decode(head);
  const kind = kindOf(given.name, text);
  const rows = [];
  const delimiter = delimiterOf(text.split('\n', 1)[0]);
  if (kind === 'csv') csvParser(delimiter, (row) => rows.length < 50 && rows.push(row)).write(text);
  return { kind, delimiter, encoding, header: rows[0] || [], rows: rows.slice(1) };
}

// By its name, else the one whose fields are the longest.
function textColumn({ header, rows }) {
  const named = header.findIndex((name) => NAMES.test(name.trim()));
  if (named >= 0) return named;
  const size = (i) => rows.reduce((sum, row) => sum + (row[i]?.length || 0), 0);
  return header.reduce((best, _, i) => (size(i) > size(best) ? i : best), 0);
}

async function choose(given) {
  if (running) return;
  file = given;
  results = null;
  byId('file-results').hidden = true;
  byId('file-problem').replaceChildren();
  try {
    looked = await look(given);
  } catch (e) {
    problem(`The file cannot be read: ${e.message}`);
    return;
  }
  const csv = looked.kind === 'csv';
  setText(byId('file-name'), `${given.name}, ${bytes(given.size)}${looked.encoding === 'utf-8' ? '' : ', not UTF-8: read as Windows-1252'}`);
  byId('file-column').replaceChildren(...looked.header.map((name, i) => make('option', { value: String(i) }, name.trim() || `column ${i + 1}`)));
  byId('file-column').value = String(textColumn(looked));
  byId('file-column-field').hidden = !csv;
  byId('file-plan').hidden = false;
  byId('file-start').focus();
}

function problem(text) {
  byId('file-problem').replaceChildren(make('p', { class: 'bad', role: 'alert' }, text));
}

// ---- scoring ----

// Gives the records of the file to `on` as {text, values or object}, slice by slice.
function reader(on) {
  if (looked.kind === 'csv') {
    const column = Number(byId('file-column').value);
    let header = true;
    return csvParser(looked.delimiter, (row) => {
      const ragged = row.length !== looked.header.length && `the row has ${row.length} fields, the header ${looked.header.length}`;
      if (header) header = false;
      else on({ text: row[column] ?? '', values: row, error: ragged || null });
    });
  }
  let rest = '';
  const line = (text) => {
    const bare = text.replace(/\r$/, '');
    if (!bare.trim()) return;
    if (looked.kind === 'text') on({ text: bare, values: [bare] });
    else on(fromJson(bare));
  };
  return {
    write(text) {
      const all = (rest + text).split('\n');
      rest = all.pop();
      all.forEach(line);
    },
    end: () => line(rest),
  };
}

function fromJson(line) {
  try {
    const object = JSON.parse(line);
    return { text: object.text, values: [object.text], object, line };
  } catch {
    return { text: null, values: [line], object: { input: line }, error: 'the line is not a JSON object' };
  }
}

// Names for the members of a record of a row: the header's, made different from each other.
function names(header) {
  const used = new Set();
  return header.map((given, i) => {
    let name = given.trim() || `c${i + 1}`;
    while (used.has(name) || name === 'sentiment') name += `_${i + 1}`;
    used.add(name);
    return name;
  });
}

function newResults(columns) {
  return { columns, csv: [`\ufeff${csvLine([...columns, ...RESULT])}`], ndjson: [], n: 0, rejected: 0, sum: 0, scored: 0, positive: 0, neutral: 0, negative: 0, first: [] };
}

// A record with its result; as it is spelled, if it is a line that has none yet.
function withResult({ object, line }, columns, values, s, error) {
  if (s && line && !('sentiment' in object)) return `${line.trim().replace(/\}$/, '')},"sentiment":${JSON.stringify(s)}}\n`;
  const members = object || Object.fromEntries(columns.map((c, i) => [c, values[i]]));
  return `${JSON.stringify(s ? { ...members, sentiment: s } : { ...members, error })}\n`;
}

function record(r, item, answer) {
  const s = answer.sentiment;
  const error = item.error || answer.error?.message;
  r.n++;
  if (s) {
    r[s.label]++;
    r.sum += s.score;
    r.scored++;
  } else {
    r.rejected++;
  }
  if (r.first.length < PREVIEW) r.first.push({ text: item.text ?? '', s, error });
  const values = r.columns.map((_, i) => item.values[i] ?? '');
  return { csv: csvLine([...values, s?.label, s?.score, s?.model, error]), ndjson: withResult(item, r.columns, values, s, error) };
}

async function sendSlice(items, model, signal) {
  const good = items.filter((item) => !item.error);
  const answers = good.length ? await score(good.map(({ text }) => ({ text })), { model, signal }) : [];
  const made = items.map((item) => record(results, item, item.error ? {} : answers.shift()));
  // The browser keeps these, perhaps on a disk.
  results.csv.push(new Blob([made.map((m) => m.csv).join('')]));
  results.ndjson.push(new Blob([made.map((m) => m.ndjson).join('')]));
}

async function scoreFile(signal) {
  const model = byId('file-model').value;
  results = newResults(looked.kind === 'csv' ? names(looked.header) : ['text']);
  let waiting = [];
  let size = 0;
  const began = performance.now();
  const parser = reader((item) => waiting.push(item));
  const decoder = new TextDecoder(looked.encoding);
  const flush = async (end) => {
    while (waiting.length) {
      let n = 0;
      for (size = 0; n < waiting.length && n < SLICE_ROWS && size < SLICE_BYTES; n++) size += waiting[n].text?.length || 0;
      if (!end && n === waiting.length && n < SLICE_ROWS && size < SLICE_BYTES) return;
      const slice = waiting.slice(0, n);
      waiting = waiting.slice(n);
      await sendSlice(slice, model, signal);
      signal.throwIfAborted();
      progress(read - waiting.reduce((sum, item) => sum + (item.text?.length || 0), 0), began);
      await breathe();
    }
  };
  let read = 0;
  for (let at = 0; at < file.size; at += SLICE_BYTES) {
    const piece = await file.slice(at, at + SLICE_BYTES).arrayBuffer();
    parser.write(decoder.decode(piece, { stream: true }));
    read = Math.min(file.size, at + SLICE_BYTES);
    await flush(false);
  }
  parser.write(decoder.decode());
  parser.end();
  await flush(true);
  progress(file.size, began);
}

// ---- what one sees ----

function progress(read, began) {
  const bar = byId('file-progress');
  bar.max = file.size;
  bar.value = Math.max(0, read);
  const seconds = (performance.now() - began) / 1000;
  setText(byId('file-state'), `${count(results.n)} texts, ${count(Math.round(results.n / Math.max(seconds, 0.001)))} a second`);
}

function showResults(whole) {
  const r = results;
  byId('file-results').hidden = false;
  setText(byId('file-summary'), `${whole ? '' : 'Cancelled. '}${count(r.scored)} texts scored${r.rejected ? `, ${count(r.rejected)} rejected` : ''}; mean ${
    signed(r.scored ? r.sum / r.scored : null)}; ${LABELS.map((l) => `${SIGN[l]} ${percent(r.scored ? r[l] / r.scored : 0)}`).join('  ')}`);
  byId('file-rows').replaceChildren(...r.first.map(({ text, s, error }) => make('tr', {},
    make('td', {}, s ? chip(s.label) : make('span', { class: 'bad' }, 'rejected')), make('td', { class: 'number' }, signed(s?.score)),
    make('td', { dir: 'auto', class: 'cut' }, error || text))));
  byId('file-csv').hidden = false;
}

async function start() {
  if (running) return;
  running = new AbortController();
  byId('file-plan').hidden = true;
  byId('file-running').hidden = false;
  byId('file-results').hidden = true;
  byId('file-cancel').focus();
  let whole = false;
  try {
    await scoreFile(running.signal);
    whole = true;
    announce(`The file is scored: ${count(results.n)} texts.`);
  } catch (e) {
    if (!isAbort(e)) problem(problemText(e));
  }
  running = null;
  byId('file-running').hidden = true;
  if (results.n) showResults(whole);
  else if (whole) problem('There is no text in this file.');
  byId('file-csv').focus();
}

function save(form) {
  const type = { csv: 'text/csv', ndjson: 'application/x-ndjson' }[form];
  download(`${file.name.replace(/\.\w+$/, '')}-scored.${form}`, new Blob(results[form], { type }));
}

export function startDrop() {
  const zone = byId('drop');
  const input = byId('file');
  input.addEventListener('change', () => input.files[0] && choose(input.files[0]));
  for (const name of ['dragenter', 'dragover'])
    zone.addEventListener(name, (e) => {
      e.preventDefault();
      zone.classList.add('over');
    });
  for (const name of ['dragleave', 'drop']) zone.addEventListener(name, () => zone.classList.remove('over'));
  zone.addEventListener('drop', (e) => {
    e.preventDefault();
    if (e.dataTransfer.files[0]) choose(e.dataTransfer.files[0]);
  });
  // A file that misses the box must not replace the page.
  for (const name of ['dragover', 'drop']) addEventListener(name, (e) => e.preventDefault());
  byId('file-start').addEventListener('click', start);
  byId('file-cancel').addEventListener('click', () => running?.abort());
  for (const form of ['csv', 'ndjson']) byId(`file-${form}`).addEventListener('click', () => save(form));
}
