// How numbers, times and labels are written.

export const LABELS = ['positive', 'neutral', 'negative'];
export const SIGN = { positive: '+', neutral: '○', negative: '−' };

// Made when they are first used: each takes milliseconds.
function times(options) {
  let made;
  return (t) => (made ??= new Intl.DateTimeFormat('en-GB', options)).format(t);
}
const date = { day: 'numeric', month: 'short' };
const time = { hour: '2-digit', minute: '2-digit' };
const dayOf = times({ ...date, year: 'numeric' });
const minuteOf = times({ ...date, year: 'numeric', ...time });
const secondOf = times({ ...time, second: '2-digit' });
const monthOf = times({ month: 'short', year: 'numeric' });
const dateOf = times(date);
const hourOf = times(time);

export const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
export const count = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, ',');
export const percent = (share) => (share > 0 && share < 0.005 ? '< 1%' : `${Math.round(share * 100)}%`);

// With its sign, which is a real minus; an absent one is a dash.
export function signed(n, digits = 2) {
  if (n === null || n === undefined) return '–';
  const text = Math.abs(n).toFixed(digits);
  return Number(text) === 0 ? text : (n < 0 ? '−' : '+') + text;
}

const valid = (t) => !Number.isNaN(new Date(t).getTime());
export const moment = (t) => (t && valid(t) ? minuteOf(new Date(t)) : 'no time');
export const clock = (t) => (t && valid(t) ? secondOf(new Date(t)) : '');

// A point of a chart, as exactly as its step needs.
export const point = (ms, step) => (step >= 86400e3 ? dayOf : minuteOf)(new Date(ms));

// Ticks of an axis of time, so many seconds apart: years, months, days or times, of which the first in a day names it.
export function ticks(seconds, apart) {
  let before = null;
  return seconds.map((s) => {
    const t = new Date(s * 1000);
    const today = dateOf(t);
    const named = t.getFullYear() === before?.getFullYear() ? '' : `\n${t.getFullYear()}`;
    const sameDay = before && dateOf(before) === today;
    before = t;
    if (apart >= 28 * 86400) return monthOf(t);
    if (apart >= 86400) return today + named;
    return (apart < 60 ? secondOf : hourOf)(t) + (sameDay ? '' : `\n${today}`);
  });
}

export function bytes(n) {
  const unit = n < 1e3 ? ['B', 1, 0] : n < 1e6 ? ['kB', 1e3, 0] : n < 1e9 ? ['MB', 1e6, 1] : ['GB', 1e9, 1];
  return `${(n / unit[1]).toFixed(unit[2])} ${unit[0]}`;
}

export function duration(ms) {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const s = Math.round(ms / 1000);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

// The name for a file of today.
export const fileName = (what, extension) => `senti-${what}-${new Date().toISOString().slice(0, 10)}.${extension}`;
