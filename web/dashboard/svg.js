// The charts as SVG, with the same scales, ticks, colours and patterns as on the page.
import { LABELS, SIGN } from './format.js';
import { STROKES } from './theme.js';

const NS = 'http://www.w3.org/2000/svg';
const FONT = { 'font-family': 'system-ui, sans-serif', 'font-size': 12 };
const TITLE = 40;

export function node(name, attributes = {}, ...children) {
  const e = document.createElementNS(NS, name);
  for (const [k, v] of Object.entries(attributes)) if (v !== null && v !== undefined) e.setAttribute(k, v);
  e.append(...children);
  return e;
}

const n = (x) => Math.round(x * 10) / 10;

function patterns(theme) {
  return node('defs', {}, ...LABELS.map((label) => node('pattern', { id: label, width: 8, height: 8, patternUnits: 'userSpaceOnUse' },
    node('rect', { width: 8, height: 8, fill: theme[label] }),
    ...STROKES[label].map(([x1, y1, x2, y2]) => node('line', { x1, y1, x2, y2, stroke: theme.card, 'stroke-opacity': 0.55, 'stroke-width': 1.25 })))));
}

export function picture(width, height, theme, title, ...children) {
  return node('svg', { xmlns: NS, width, height, viewBox: `0 0 ${width} ${height}`, role: 'img', ...FONT },
    node('title', {}, title), patterns(theme), node('rect', { width, height, fill: theme.card }),
    node('text', { x: 12, y: 24, fill: theme.ink, 'font-size': 15, 'font-weight': 600 }, title), ...children);
}

// Runs of points without gaps, as [[x, y], …].
function runs(u, xs, ys) {
  const all = [];
  let run = [];
  for (let i = 0; i < xs.length; i++) {
    if (ys[i] === null) {
      if (run.length) all.push(run);
      run = [];
    } else {
      run.push([n(u.valToPos(xs[i], 'x')), n(u.valToPos(ys[i], 'y')), i]);
    }
  }
  return run.length ? [...all, run] : all;
}

const path = (points) => points.map(([x, y], k) => `${k ? 'L' : 'M'}${x} ${y}`).join('');

function meanMarks(u, c, theme) {
  const area = runs(u, c.x, c.high).map((run) => {
    const back = run.map(([x, , i]) => [x, n(u.valToPos(c.low[i], 'y'))]).reverse();
    return node('path', { d: `${path([...run, ...back])}Z`, fill: theme.accent, 'fill-opacity': 0.2 });
  });
  const y = n(u.valToPos(0, 'y'));
  const zero = node('line', { x1: 0, x2: n(u.bbox.width / ratio()), y1: y, y2: y, stroke: theme.dim });
  const lines = runs(u, c.x, c.mean).map((run) => (run.length > 1
    ? node('path', { d: path(run), fill: 'none', stroke: theme.accent, 'stroke-width': 2, 'stroke-linejoin': 'round' })
    : node('circle', { cx: run[0][0], cy: run[0][1], r: 2.5, fill: theme.accent })));
  return [...area, zero, ...lines];
}

function barMarks(u, c, ys, fill) {
  const zero = u.valToPos(0, 'y');
  let d = '';
  for (let i = 0; i < c.x.length; i++) {
    if (!ys[i]) continue;
    const from = u.valToPos(c.start[i] / 1000, 'x');
    const wide = (u.valToPos(c.end[i] / 1000, 'x') - from) * 0.92;
    const y = u.valToPos(ys[i], 'y');
    d += `M${n(from)} ${n(zero)}V${n(y)}h${n(Math.max(wide, 0.5))}V${n(zero)}Z`;
  }
  return node('path', { d, fill });
}

const ratio = () => devicePixelRatio || 1;

function gridAndTicks(u, theme, bottom) {
  const [x, y] = u.axes;
  const width = n(u.bbox.width / ratio());
  const rows = (y._splits || []).map((v, i) => [n(u.valToPos(v, 'y')), y._values[i]]);
  const marks = rows.flatMap(([at, text]) => [
    node('line', { x1: 0, x2: width, y1: at, y2: at, stroke: theme.line }),
    node('text', { x: -8, y: at + 4, fill: theme.dim, 'text-anchor': 'end' }, String(text ?? '')),
  ]);
  if (!bottom) return marks;
  const height = u.bbox.height / ratio();
  const columns = (x._splits || []).map((v, i) => [n(u.valToPos(v, 'x')), x._values[i]]);
  return [...marks, ...columns.filter(([, text]) => text).map(([at, text]) => node('text', { x: at, y: height + 18, fill: theme.dim, 'text-anchor': 'middle' },
    ...String(text).split('\n').map((line, k) => node('tspan', { x: at, dy: k ? 14 : 0 }, line))))];
}

function legend(theme, y) {
  return LABELS.map((label, i) => node('g', { transform: `translate(${52 + i * 110} ${y})` },
    node('rect', { width: 14, height: 14, fill: `url(#${label})` }), node('text', { x: 20, y: 11, fill: theme.ink }, `${SIGN[label]} ${label}`)));
}

// What plots.js has drawn, as one picture.
export function plotsSvg({ plots, theme, data: c }, title) {
  const names = ['Mean score, with its 95% confidence band', 'Messages', 'Shares of the labels'];
  const width = plots[0].width;
  let top = TITLE;
  const parts = plots.map((u, i) => {
    const last = i === plots.length - 1;
    const marks = i === 0 ? meanMarks(u, c, theme) : i === 1 ? [barMarks(u, c, c.count, theme.dim)]
      : ['negative', 'neutral', 'positive'].map((label, k) => barMarks(u, c, u.data[k + 1], `url(#${label})`));
    const part = node('g', { transform: `translate(0 ${top})` }, node('text', { x: 12, y: 14, fill: theme.dim }, names[i]),
      node('g', { transform: `translate(${n(u.bbox.left / ratio())} ${n(20 + u.bbox.top / ratio())})` }, ...gridAndTicks(u, theme, last), ...marks));
    top += u.height + 28;
    return part;
  });
  return picture(width, top + 44, theme, title, ...parts, ...legend(theme, top + 16));
}

// Words with bars to either side of zero: rows are {word, value, text}.
export function barsSvg(rows, theme, title) {
  const most = Math.max(...rows.map((r) => Math.abs(r.value)), 1e-9);
  const [width, left, middle, line] = [640, 170, 380, 24];
  const parts = rows.map((r, i) => {
    const wide = (Math.abs(r.value) / most) * 190;
    const label = r.value < 0 ? 'negative' : 'positive';
    return node('g', { transform: `translate(0 ${TITLE + i * line})` },
      node('text', { x: left, y: 16, fill: theme.ink, 'text-anchor': 'end' }, r.word),
      node('rect', { x: n(r.value < 0 ? middle - wide : middle), y: 4, width: n(wide), height: 16, fill: `url(#${label})` }),
      node('text', { x: width - 8, y: 16, fill: theme.dim, 'text-anchor': 'end' }, r.text));
  });
  const bottom = TITLE + rows.length * line;
  return picture(width, bottom + 12, theme, title, ...parts, node('line', { x1: middle, x2: middle, y1: TITLE, y2: bottom, stroke: theme.dim }));
}
