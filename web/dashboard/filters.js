// The bar of filters: shows what the address says, and changes it.
import { isAbort, onToken, scan } from './api.js';
import { byId, choose, debounce, make } from './dom.js';
import { FILTERS, filtered, onState, setState, state } from './state.js';

const MOST_SOURCES = 200;
const TYPED = ['q', 'score_min', 'score_max'];

// A local time without a zone, as the input has it, for an RFC 3339 one; and back.
function toLocal(time) {
  const t = new Date(time);
  if (!time || Number.isNaN(t.getTime())) return '';
  return new Date(t.getTime() - t.getTimezoneOffset() * 60e3).toISOString().slice(0, 16);
}
const fromLocal = (value) => (value ? new Date(value).toISOString() : null);

function show() {
  const s = state();
  const custom = Boolean(s.since || s.until);
  choose(byId('f-source'), s.source);
  byId('f-label').value = s.label || '';
  byId('f-range').value = custom ? 'custom' : s.range || '';
  byId('f-span').hidden = byId('f-range').value !== 'custom';
  for (const k of ['since', 'until']) if (toLocal(s[k]) !== byId(`f-${k}`).value) byId(`f-${k}`).value = toLocal(s[k]);
  for (const k of TYPED) if (document.activeElement !== byId(`f-${k}`)) byId(`f-${k}`).value = s[k] || '';
  const set = FILTERS.filter((k) => k !== 'q' && s[k]).length;
  byId('f-more').textContent = set ? `Filters (${set})` : 'Filters';
  byId('f-reset').hidden = !filtered();
}

async function loadSources() {
  try {
    const { items } = await scan(`v1/stats?by=source&limit=${MOST_SOURCES}`);
    const names = items.map((g) => g.key).filter((k) => k !== null && k !== '').slice(0, MOST_SOURCES).sort();
    byId('f-source').replaceChildren(make('option', { value: '' }, 'All sources'), ...names.map((name) => make('option', { value: name }, name)));
    show();
  } catch (e) {
    if (!isAbort(e)) byId('f-source').title = `The sources cannot be listed: ${e.message}`;
  }
}

function range() {
  const value = byId('f-range').value;
  byId('f-span').hidden = value !== 'custom';
  if (value === 'custom') byId('f-since').focus();
  else setState({ range: value || null, since: null, until: null });
}

// A score counts if it is one.
function typed(name) {
  const input = byId(`f-${name}`);
  if (input.validity.valid) setState({ [name]: input.value.trim() || null }, { replace: true });
}

export function startFilters() {
  byId('filters').addEventListener('submit', (e) => e.preventDefault());
  byId('f-source').addEventListener('change', (e) => setState({ source: e.target.value || null }));
  byId('f-label').addEventListener('change', (e) => setState({ label: e.target.value || null }));
  byId('f-range').addEventListener('change', range);
  for (const k of ['since', 'until'])
    byId(`f-${k}`).addEventListener('change', (e) => setState({ range: null, [k]: fromLocal(e.target.value) }));
  for (const k of TYPED) byId(`f-${k}`).addEventListener('input', debounce(300, () => typed(k)));
  // On a narrow screen all but the text is behind this button.
  byId('f-more').addEventListener('click', (e) => {
    e.target.setAttribute('aria-expanded', String(byId('filters').classList.toggle('more')));
  });
  byId('f-reset').addEventListener('click', () => {
    setState(Object.fromEntries(FILTERS.map((k) => [k, null])));
    byId('f-q').value = '';
    show();
    byId('f-q').focus();
  });
  onState(show);
  onToken((what) => what === 'changed' && loadSources());
  show();
  return loadSources;
}
