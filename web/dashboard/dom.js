// Elements without markup: foreign text only ever becomes text nodes.

export const byId = (id) => document.getElementById(id);

// An element with attributes (functions become listeners, true an empty attribute, false and null none) and children.
export function make(name, attributes = {}, ...children) {
  const e = document.createElement(name);
  for (const [key, value] of Object.entries(attributes))
    if (typeof value === 'function') e.addEventListener(key.slice(2), value);
    else if (value !== false && value !== null && value !== undefined) e.setAttribute(key, value === true ? '' : value);
  e.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== false));
  return e;
}

export function setText(e, text) {
  if (e.textContent !== text) e.textContent = text;
}

// Says something to people who do not see the page change, one thing after another.
let said;
export function announce(text) {
  clearTimeout(said);
  const region = byId('announcer');
  region.textContent = '';
  said = setTimeout(() => { region.textContent = text; }, 50);
}

// What a panel shows while it has nothing else to show; `again` makes a button for errors.
export function note(kind, text, again) {
  return make('div', { class: `note ${kind}`, role: kind === 'error' ? 'alert' : null },
    make('p', {}, text), again && make('button', { type: 'button', class: 'quiet', onclick: again }, 'Try again'));
}

// Sets a select to a value, which it gets as an option if it has none.
export function choose(select, value = '', name = value) {
  if (![...select.options].some((o) => o.value === value)) select.append(make('option', { value }, name));
  select.value = value;
}

export const reducedMotion = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

export function debounce(ms, f) {
  let timer;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(f, ms, ...args);
  };
}

// Resolves when what was just shown is on the screen, with the next frame, and marks when that was; at once where nobody sees the page.
export const painted = (name) => new Promise((done) => {
  if (document.hidden) done();
  else requestAnimationFrame(() => setTimeout(() => done(performance.mark(name)), 0));
});

// Lets the browser paint and hear the keyboard between two pieces of work.
export const breathe = () => new Promise((done) => { setTimeout(done, 0); });
