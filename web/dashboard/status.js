// How the server does: dependencies, queue, dead letters, cache.
import { ask, isAbort, onToken } from './api.js';
import { byId, make } from './dom.js';
import { count, duration, percent } from './format.js';

const EVERY_MS = 10e3;

function tile(name, value, more, bad) {
  return make('div', { class: bad ? 'bad' : null }, make('dt', {}, name), make('dd', {}, make('strong', {}, value), more && make('span', { class: 'dim' }, more)));
}

// What is null is not there, or cannot be reached, and then `unavailable` says why.
function part(s, name, title, show) {
  if (s[name]) return show(s[name]);
  return s.unavailable?.[name] ? [tile(title, 'unknown', s.unavailable[name], true)] : [];
}

function tiles(s) {
  const failing = Object.entries(s.dependencies).filter(([, state]) => state !== 'ok').map(([name]) => name);
  return [
    tile('Server', s.ready ? 'ready' : 'not ready', failing.length ? `${failing.join(', ')} failing` : `for ${duration(s.uptime_ms)}`, !s.ready || failing.length > 0),
    ...part(s, 'queue', 'Queue', (q) => [
      tile('Queue depth', count(q.depth), 'waiting to be scored'),
      tile('Dead letters', q.dead_letters === null ? 'unknown' : count(q.dead_letters), q.dead_letters ? 'rejected, with reasons' : null, q.dead_letters > 0),
    ]),
    ...part(s, 'cache', 'Cache', (c) => [tile('Cache hit rate', c.rate === null ? '–' : percent(c.rate), `${count(c.hits)} of ${count(c.hits + c.misses + c.absent)}`)]),
    ...part(s, 'store', 'Store', (t) => [tile('Stored', count(t.messages), `${count(t.corrected)} corrected`), t.unscored ? tile('Not scored', count(t.unscored)) : null].filter(Boolean)),
    ...part(s, 'feed', 'Feed', (f) => [tile('Feed lag', `up to ${duration(f.lag_ms)}`, `${count(f.listeners)} ${f.listeners === 1 ? 'listener' : 'listeners'}`)]),
  ];
}

export function startStatus() {
  let timer;
  async function load() {
    clearTimeout(timer);
    if (document.hidden) return;
    try {
      byId('status').replaceChildren(...tiles(await (await ask('v1/status')).json()));
      byId('status-card').hidden = false;
    } catch (e) {
      if ([401, 403, 404].includes(e.status)) {
        byId('status-card').hidden = true;
        return; // until there is another token
      }
      if (!isAbort(e)) byId('status').replaceChildren(tile('Server', e.status ? 'unknown' : 'not reached', e.message, true));
    }
    timer = setTimeout(load, EVERY_MS);
  }
  document.addEventListener('visibilitychange', () => !document.hidden && load());
  onToken((what) => what === 'changed' && load());
  return load;
}
