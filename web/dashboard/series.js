// Figures over time: which steps to ask for, and the server's groups as columns for charts. Days, weeks and months begin where the reader is.
import { scan } from './api.js';
import { breathe } from './dom.js';
import { zone } from './format.js';
import { query, state } from './state.js';

const MINUTE = 60e3;
const DAY = 86400e3;
const PIECE = 4000; // groups to work off between two breaths
const MOST = 40000; // points of a chart
const WANTED = 120; // points if nobody says otherwise
const Z = 1.96; // 95% of a normal distribution
const STEPS = [
  ['1s', 1e3], ['10s', 10e3], ['1m', MINUTE], ['5m', 5 * MINUTE], ['15m', 15 * MINUTE], ['1h', 60 * MINUTE], ['6h', 360 * MINUTE], ['day', DAY],
  ['week', 7 * DAY], ['month', 30.44 * DAY],
];

// When the first and the last of the messages with a time are; null if there are none.
export async function extent(signal, get = scan) {
  const at = async (order) => Date.parse((await get(`v1/messages?${query({ order, limit: 1 })}`, signal)).items[0]?.time);
  const [from, to] = await Promise.all([at('oldest'), at('newest')]);
  return from && to ? { from, to } : null;
}

// The step asked for, or the one that gives about as many points as a chart can show; coarser where there would be too many.
export function stepFor({ from, to }) {
  const asked = STEPS.findIndex(([name]) => name === state().step);
  const fits = (most) => STEPS.findIndex(([, ms]) => (to - from) / ms <= most);
  const least = fits(asked < 0 ? WANTED : MOST);
  const [name, ms] = STEPS[Math.max(asked, least < 0 ? STEPS.length - 1 : least)];
  return { name, ms, coarser: asked >= 0 && least > asked };
}

// The path of the figures by this step.
export function groupsPath(step) {
  return `v1/stats?${query({ ...(step.ms < DAY ? { by: 'time', step: step.name } : { by: step.name, tz: zone() }), limit: 10000 })}`;
}

async function groups(step, signal) {
  const all = [];
  for (let next = groupsPath(step); next && all.length < MOST;) {
    const page = await scan(next, signal);
    for (const g of page.items) if (g.start) all.push(g);
    next = page.next;
    if (next) await breathe();
  }
  return all;
}

// Half the width of the band in which the mean lies with 95%, from the deviation of the population; null where there is too little to say.
export function halfWidth({ count, mean, stdev }) {
  if (mean === null || typeof stdev !== 'number' || count < 2) return null;
  return (Z * stdev) / Math.sqrt(count - 1);
}

// Columns of equal length: x (the middle of each step, in seconds), start and end (ms), count, mean, low, high and the labels' counts and shares. A
// step without messages stands once for all that follow it.
export async function series(range, signal) {
  const step = stepFor(range);
  const found = await groups(step, signal);
  const c = { step, x: [], start: [], end: [], count: [], mean: [], low: [], high: [], positive: [], neutral: [], negative: [] };
  const put = (start, end, g) => {
    const half = g ? halfWidth(g) : null;
    c.x.push((start + end) / 2000);
    c.start.push(start);
    c.end.push(end);
    c.count.push(g ? g.count : 0);
    c.mean.push(g ? g.mean : null);
    c.low.push(half === null ? null : Math.max(-1, g.mean - half));
    c.high.push(half === null ? null : Math.min(1, g.mean + half));
    for (const label of ['positive', 'neutral', 'negative']) c[label].push(g ? g[label] : 0);
  };
  let after = found.length && Date.parse(found[0].start);
  for (let i = 0; i < found.length; i++) {
    const start = after;
    after = found[i + 1] && Date.parse(found[i + 1].start);
    const end = after && after < start + 1.5 * step.ms ? after : start + step.ms;
    put(start, end, found[i]);
    if (after > end) put(end, after, null);
    if (i % PIECE === PIECE - 1) await breathe();
  }
  return c;
}

// The figures of all groups together: count, mean, deviation and the labels' counts.
export function total(items) {
  const sum = { count: 0, scored: 0, mean: null, stdev: null, positive: 0, neutral: 0, negative: 0 };
  let mean = 0;
  let squares = 0;
  for (const g of items) {
    sum.count += g.count;
    for (const label of ['positive', 'neutral', 'negative']) sum[label] += g[label];
    if (g.mean === null) continue;
    sum.scored += g.count;
    const d = g.mean - mean;
    mean += (d * g.count) / sum.scored;
    squares += g.count * (g.stdev ?? NaN) ** 2 + (d * d * g.count * (sum.scored - g.count)) / sum.scored;
  }
  if (sum.scored) Object.assign(sum, { mean, stdev: Number.isNaN(squares) ? null : Math.sqrt(squares / sum.scored) });
  return sum;
}
