// A panel: loads something when it is shown and the filter changes, and shows that it loads, what went wrong, or that there is nothing.
import { isAbort } from './api.js';
import { byId, note } from './dom.js';

// load(signal) gets what to show; show(it) shows it in the element `id` and returns false if there is nothing, for which `empty` stands. An answer 404
// hides the panel `optional` names. Returns a function that loads again; it resolves when that is shown or was overtaken.
export function panel(id, { load, show, empty, optional }) {
  const body = byId(id);
  const state = byId(`${id}-state`);
  let running;
  let shown = false;

  const say = (kind, text, again) => {
    state.replaceChildren(...(text ? [note(kind, text, again)] : []));
    body.hidden = Boolean(text);
  };
  async function reload() {
    running?.abort();
    running = new AbortController();
    const { signal } = running;
    const slow = setTimeout(() => !shown && say('loading', 'Loading …'), 250);
    body.setAttribute('aria-busy', 'true');
    try {
      const got = await load(signal);
      if (signal.aborted) return;
      body.hidden = false; // what is hidden has no width
      shown = show(got) !== false;
      if (shown) say();
      else say('empty', typeof empty === 'function' ? empty() : empty);
      if (optional) byId(optional).hidden = false;
    } catch (e) {
      if (isAbort(e) || signal.aborted) return;
      shown = false;
      if (optional && e.status === 404) byId(optional).hidden = true;
      else say('error', problemText(e), reload);
    } finally {
      clearTimeout(slow);
      if (!signal.aborted) body.removeAttribute('aria-busy');
    }
  }
  return reload;
}

export function problemText(e) {
  if (e.status === 401) return 'Sign in to see this.';
  if (e.status === 403) return 'Your token does not allow this.';
  if (e.status === 504) return 'This took the server too long. A shorter time range helps.';
  const text = e.message || String(e);
  return `${text[0].toUpperCase()}${text.slice(1)}.`;
}
