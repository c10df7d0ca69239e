// What the page shows is kept in the fragment of its address, which browsers do not send: it can be bookmarked and shared, Back and Forward work,
// and no server's log has what one searched for.

const KNOWN = ['view', 'range', 'since', 'until', 'source', 'label', 'score_min', 'score_max', 'q', 'step', 'order', 'limit', 'after', 'message',
  'models'];
export const FILTERS = ['range', 'since', 'until', 'source', 'label', 'score_min', 'score_max', 'q'];
export const filtered = () => FILTERS.some((k) => current[k]);
const HOURS = { '1h': 1, '24h': 24, '7d': 168, '30d': 720 };

const listeners = [];
let current = read();

function read() {
  const given = new URLSearchParams(location.hash.slice(1));
  return Object.fromEntries(KNOWN.filter((k) => given.get(k)).map((k) => [k, given.get(k)]));
}

export const state = () => current;
export const view = () => (['messages', 'score'].includes(current.view) ? current.view : 'overview');
export const onState = (f) => listeners.push(f);

// The address of the page with these changes; null removes.
export function address(changes) {
  const next = new URLSearchParams();
  for (const k of KNOWN) {
    const value = k in changes ? changes[k] : current[k];
    if (value !== null && value !== undefined && value !== '') next.set(k, value);
  }
  return `#${next}`;
}

function changed() {
  const before = current;
  current = read();
  const keys = KNOWN.filter((k) => before[k] !== current[k]);
  if (keys.length) listeners.forEach((f) => f(new Set(keys)));
}

// Changes the state. `replace`: without a new step in the history, as for each letter typed; `kept` stays beside the address (history.state) as long
// as the page of the table does. A change of a filter begins with the first page again.
export function setState(changes, { replace = false, kept = null } = {}) {
  const all = FILTERS.some((k) => k in changes) || 'order' in changes ? { after: null, ...changes } : changes;
  const to = address(all);
  if (to === address({})) return;
  const samePage = !('after' in all) || (all.after || undefined) === current.after;
  history[replace ? 'replaceState' : 'pushState'](samePage ? history.state : kept, '', to);
  changed();
}

addEventListener('popstate', changed);
addEventListener('hashchange', changed);

// The time span of the state as {since, until} in RFC 3339; a range counts back from now.
export function span({ range, since, until } = current) {
  if (HOURS[range]) return { since: new Date(Date.now() - HOURS[range] * 3600e3).toISOString() };
  return { ...(since && { since }), ...(until && { until }) };
}

// The filter as the parameters of a request, with more of them.
export function query(more = {}) {
  const { source, label, score_min, score_max, q } = current;
  const all = { ...span(), source, label, score_min, score_max, q, ...more };
  return new URLSearchParams(Object.entries(all).filter(([, v]) => v !== undefined && v !== null && v !== ''));
}
