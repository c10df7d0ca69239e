// The table twin of a chart: the same figures as text, some rows at a time, made when it is opened.
import { make } from './dom.js';
import { count } from './format.js';

const ROWS = 50;

// In `details`, which the page has. Returns set(n, row(i)), which gives it other rows.
export function pagedTable(details, caption, columns) {
  const body = make('tbody');
  const where = make('span', { class: 'dim' });
  const button = (text, by) => make('button', { type: 'button', class: 'quiet small', onclick: () => turn(by) }, text);
  const back = button('Previous', -1);
  const on = button('Next', 1);
  const head = columns.map((c, i) => make('th', { scope: 'col', class: i ? 'number' : null }, c));
  let n = 0;
  let row = () => [];
  let page = 0;
  details.append(
    make('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': `${caption}, as a table` },
      make('table', { class: 'figures' }, make('caption', { class: 'visually-hidden' }, caption), make('thead', {}, make('tr', {}, head)), body)),
    make('div', { class: 'row pager' }, back, on, where));

  function fill() {
    if (!details.open) return;
    const from = page * ROWS;
    const to = Math.min(n, from + ROWS);
    const cells = (i) => row(i).map((v, k) => (k ? make('td', { class: 'number' }, v) : make('th', { scope: 'row' }, v)));
    body.replaceChildren(...Array.from({ length: to - from }, (_, k) => make('tr', {}, cells(from + k))));
    where.textContent = n ? `${count(from + 1)}–${count(to)} of ${count(n)}` : '';
    back.disabled = page === 0;
    on.disabled = to >= n;
  }
  function turn(by) {
    page += by;
    fill();
  }
  details.addEventListener('toggle', fill);
  return (rows, f) => {
    n = rows;
    row = f;
    page = 0;
    fill();
  };
}
