// Three plots above one axis of time, by uPlot: the mean with its band, how many messages there are, and the labels' shares.
import uPlot from 'uplot';
import { breathe } from './dom.js';
import { ticks } from './format.js';
import { colours, pattern } from './theme.js';

const FONT = '12px system-ui, sans-serif';
const SIZE = { left: 52, right: 12 };
const MANY = 2000; // points
const DENSE = 3; // pixels for each point, below which bars become areas
const HEIGHT = { mean: 200, count: 84, share: 132 };

// What the shares look like stacked: the top of each label's part. They are drawn from the top, each over the one before.
function stacked(c) {
  const sum = (i) => c.positive[i] + c.neutral[i] + c.negative[i];
  const part = (f) => c.x.map((_, i) => (sum(i) ? f(i) / sum(i) : null));
  return { negative: part(sum), neutral: part((i) => c.positive[i] + c.neutral[i]), positive: part((i) => c.positive[i]) };
}

function meanRange(c) {
  let [low, high] = [0, 0];
  for (let i = 0; i < c.x.length; i++) {
    low = Math.min(low, c.low[i] ?? c.mean[i] ?? 0);
    high = Math.max(high, c.high[i] ?? c.mean[i] ?? 0);
  }
  const room = Math.max((high - low) * 0.08, 0.02);
  return [Math.max(low < 0 ? low - room : low, -1.02), Math.min(high > 0 ? high + room : high, 1.02)];
}

function axes(theme, bottom, values) {
  const shared = { stroke: theme.dim, font: FONT, ticks: { show: false }, grid: { stroke: theme.line, width: 1 } };
  return [
    { ...shared, size: bottom ? 38 : 4, values: (u, at, axis, space, apart) => (bottom ? ticks(at, apart) : []), grid: { show: false }, space: 72 },
    { ...shared, size: SIZE.left, values, gap: 6, space: 32 },
  ];
}

// Bars as wide as their steps, or an area where they would be too thin to see.
function filled(c, width) {
  return width / c.x.length >= DENSE ? uPlot.paths.bars({ size: [0.92, 48], align: 0 }) : uPlot.paths.linear();
}

const plain = { points: { show: false } };

function parts(c, theme, width) {
  const share = stacked(c);
  const paths = filled(c, width);
  const patterned = (label) => ({ ...plain, paths, width: 0, fill: (u) => pattern(u.ctx, label, theme) });
  return [
    {
      name: 'mean', height: HEIGHT.mean, data: [c.x, c.mean, c.high, c.low], range: meanRange(c),
      values: (u, at) => at.map((t) => (t > 0 ? `+${+t.toFixed(2)}` : String(+t.toFixed(2)).replace('-', '−'))),
      series: [{}, { stroke: theme.accent, width: 2, points: { size: 5, fill: theme.accent } }, { ...plain, width: 0 }, { ...plain, width: 0 }],
      bands: [{ series: [2, 3], fill: `${theme.accent}33` }],
    },
    {
      name: 'count', height: HEIGHT.count, data: [c.x, c.count], range: (u, low, high) => [0, Math.max(high, 1) * 1.1],
      values: (u, at) => at.map((t) => (Number.isInteger(t) ? Intl.NumberFormat('en', { notation: 'compact' }).format(t) : '')),
      series: [{}, { ...plain, paths, width: 0, fill: `${theme.dim}99` }],
    },
    {
      name: 'share', height: HEIGHT.share, bottom: true, data: [c.x, share.negative, share.neutral, share.positive], range: [0, 1],
      values: (u, at) => at.map((t) => `${Math.round(t * 100)}%`),
      series: [{}, patterned('negative'), patterned('neutral'), patterned('positive')],
    },
  ];
}

function zeroLine(theme) {
  return (u) => {
    const y = Math.round(u.valToPos(0, 'y', true));
    u.ctx.save();
    u.ctx.strokeStyle = theme.dim;
    u.ctx.lineWidth = 1;
    u.ctx.beginPath();
    u.ctx.moveTo(u.bbox.left, y);
    u.ctx.lineTo(u.bbox.left + u.bbox.width, y);
    u.ctx.stroke();
    u.ctx.restore();
  };
}

// Draws them into targets.mean, .count and .share. on.point(i) is where the pointer is (null: nowhere), on.pick(i) what was clicked, on.zoom(from, to)
// what was dragged over, in seconds. Returns {plots, theme, data, done (a promise), point(i),
// destroy()}.
export function drawPlots(targets, c, width, on) {
  const theme = colours();
  const from = c.start[0] / 1000;
  const to = c.end.at(-1) / 1000;
  const key = `senti-${Math.random()}`;
  let moving = false; // by point(), which is no news

  function listen(u) {
    let down = null;
    u.over.addEventListener('mousedown', (e) => { down = e.clientX; });
    u.over.addEventListener('click', (e) => {
      if (down !== null && Math.abs(e.clientX - down) < 4 && u.cursor.idx !== null && u.cursor.idx !== undefined) on.pick(u.cursor.idx);
    });
  }
  function selected(u) {
    if (u.select.width < 4) return;
    on.zoom(u.posToVal(u.select.left, 'x'), u.posToVal(u.select.left + u.select.width, 'x'));
    u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  }
  const make = (p) => new uPlot({
    width, height: p.height, series: p.series, bands: p.bands, legend: { show: false }, padding: [8, SIZE.right, 0, 0],
    cursor: { y: false, sync: { key, setSeries: false }, drag: { x: true, y: false, setScale: false }, points: { show: p.name === 'mean' } },
    scales: { x: { time: true, range: [from, to] }, y: { range: p.range } },
    axes: axes(theme, p.bottom, p.values),
    hooks: {
      ready: [listen], setSelect: [selected], draw: p.name === 'mean' ? [zeroLine(theme)] : [],
      setCursor: [(u) => !moving && p.name === 'mean' && on.point(u.cursor.left < 0 ? null : u.cursor.idx)],
    },
  }, p.data, targets[p.name]);

  // Many points are drawn with a breath between the plots.
  const plots = [];
  let gone = false;
  const done = (async () => {
    for (const p of parts(c, theme, width - SIZE.left - SIZE.right)) {
      if (c.x.length > MANY) await breathe();
      if (gone) return;
      plots.push(make(p));
    }
  })();

  return {
    plots, theme, data: c, done,
    point(i) {
      if (!plots.length) return;
      moving = true;
      plots[0].setCursor({ left: plots[0].valToPos(c.x[i], 'x'), top: 10 });
      moving = false;
    },
    destroy() {
      gone = true;
      plots.forEach((u) => u.destroy());
    },
  };
}
