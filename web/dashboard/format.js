// How numbers, times and labels are written.

export const LABELS = ['positive', 'neutral', 'negative'];
export const SIGN = { positive: '+', neutral: '○', negative: '−' };

const whole = new Intl.NumberFormat('en');
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
const minute = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' });
const second = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

export const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
export const count = (n) => whole.format(n);
export const percent = (share) => (share > 0 && share < 0.005 ? '< 1%' : `${Math.round(share * 100)}%`);

// With its sign, which is a real minus; an absent one is a dash.
export function signed(n, digits = 2) {
  if (n === null || n === undefined) return '–';
  const text = Math.abs(n).toFixed(digits);
  return Number(text) === 0 ? text : (n < 0 ? '−' : '+') + text;
}

const valid = (time) => !Number.isNaN(new Date(time).getTime());
export const moment = (time) => (time && valid(time) ? minute.format(new Date(time)) : 'no time');
export const clock = (time) => (time && valid(time) ? second.format(new Date(time)) : '');

// A point of a chart, as exactly as its step needs.
export const point = (ms, step) => (step >= 86400e3 ? day : minute).format(new Date(ms));

// Ticks of an axis of time, so many seconds apart: years, months, days or times, of which the first in a day names it.
const year = new Intl.DateTimeFormat('en-GB', { month: 'short', year: 'numeric' });
const date = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const hour = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
export function ticks(seconds, apart) {
  let before = null;
  return seconds.map((s) => {
    const t = new Date(s * 1000);
    const today = date.format(t);
    const named = t.getFullYear() === before?.getFullYear() ? '' : `\n${t.getFullYear()}`;
    const sameDay = before && date.format(before) === today;
    before = t;
    if (apart >= 28 * 86400) return year.format(t);
    if (apart >= 86400) return today + named;
    return (apart < 60 ? second : hour).format(t) + (sameDay ? '' : `\n${today}`);
  });
}

export function bytes(n) {
  const unit = n < 1e3 ? ['B', 1, 0] : n < 1e6 ? ['kB', 1e3, 0] : n < 1e9 ? ['MB', 1e6, 1] : ['GB', 1e9, 1];
  return `${(n / unit[1]).toFixed(unit[2])} ${unit[0]}`;
}

export function duration(ms) {
  if (ms < 1000) return `${whole.format(Math.round(ms))} ms`;
  const s = Math.round(ms / 1000);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

// The name for a file of today.
export const fileName = (what, extension) => `senti-${what}-${new Date().toISOString().slice(0, 10)}.${extension}`;
