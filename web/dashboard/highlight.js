// The words of a text, marked by what they contribute to its score.
import { make } from './dom.js';
import { SIGN, signed } from './format.js';

// Offsets in bytes of the UTF-8 form as offsets in the string, for the sorted ones given.
export function fromBytes(text, offsets) {
  const found = new Map();
  let byte = 0;
  let at = 0;
  for (const offset of offsets) {
    while (byte < offset && at < text.length) {
      const code = text.codePointAt(at);
      byte += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
      at += code < 0x10000 ? 1 : 2;
    }
    found.set(offset, at);
  }
  return found;
}

// Several rules may tell of one place: their values are added. Of places that overlap the shortest is marked, since a rule may tell of a whole
// sentence; the others are left to the table.
function places(why) {
  const by = new Map();
  for (const { at, value } of why) {
    const key = at.join();
    const place = by.get(key) || { from: at[0], to: at[1], value: 0 };
    place.value += value;
    by.set(key, place);
  }
  const taken = [];
  for (const p of [...by.values()].sort((a, b) => a.to - a.from - (b.to - b.from)))
    if (p.to > p.from && p.value !== 0 && taken.every((t) => p.to <= t.from || p.from >= t.to)) taken.push(p);
  return taken.sort((a, b) => a.from - b.from);
}

const strength = (value, most) => (Math.abs(value) > most * 0.66 ? 3 : Math.abs(value) > most * 0.33 ? 2 : 1);

// The text with its words marked; without `why`, as it is.
export function marked(text, why = []) {
  const found = places(why);
  const at = fromBytes(text, [...new Set(found.flatMap((p) => [p.from, p.to]))].sort((a, b) => a - b));
  const most = Math.max(...found.map((p) => Math.abs(p.value)), 0);
  const parts = [];
  let from = 0;
  for (const p of found) {
    const kind = p.value > 0 ? 'positive' : 'negative';
    parts.push(text.slice(from, at.get(p.from)), make('mark', { class: `${kind} s${strength(p.value, most)}`, title: signed(p.value) },
      text.slice(at.get(p.from), at.get(p.to)), make('sup', {}, SIGN[kind])));
    from = at.get(p.to);
  }
  return make('p', { class: 'marked', dir: 'auto' }, ...parts, text.slice(from));
}

// The same as a table: what each word adds, and by which rule.
export function reasons(why) {
  if (!why?.length) return make('p', { class: 'dim' }, 'No word of this text contributes to the score.');
  return make('table', { class: 'figures' },
    make('caption', { class: 'visually-hidden' }, 'What contributes to the score'),
    make('thead', {}, make('tr', {}, make('th', { scope: 'col' }, 'Word'), make('th', { scope: 'col' }, 'Rule'), make('th', { scope: 'col', class: 'number' }, 'Value'))),
    make('tbody', {}, why.map((r) => make('tr', {},
      make('td', { dir: 'auto' }, r.word), make('td', {}, r.rule), make('td', { class: 'number' }, signed(r.value))))));
}
