// The card "Over time": three plots, a slider that walks through their points by keyboard, a readout, the table twin, and files.
import { breathe, byId, choose, debounce, setText } from './dom.js';
import { csvLine } from './csv.js';
import { download } from './download.js';
import { LABELS, count, fileName, percent, point, signed, SIGN } from './format.js';
import { panel } from './panel.js';
import { drawPlots } from './plots.js';
import { extent, series } from './series.js';
import { plotsSvg } from './svg.js';
import { png, svgFile } from './image.js';
import { setState, state } from './state.js';
import { onTheme } from './theme.js';
import { pagedTable } from './twin.js';

const COLUMNS = ['Time', 'Messages', 'Mean', '95% low', '95% high', 'Positive', 'Neutral', 'Negative'];
let drawn;
let drawnWidth;
let data;
let at = null;

const width = () => Math.max(byId('plots').clientWidth, 240);

function sentence(c, i) {
  const when = point(c.start[i], c.step.ms);
  if (!c.count[i]) return `${when}: no messages`;
  const band = c.low[i] === null ? '' : ` (95%: ${signed(c.low[i])} to ${signed(c.high[i])})`;
  const n = c.positive[i] + c.neutral[i] + c.negative[i];
  const shares = n ? `, ${LABELS.map((l) => `${SIGN[l]} ${percent(c[l][i] / n)}`).join('  ')}` : '';
  return `${when}: mean ${signed(c.mean[i])}${band}, ${count(c.count[i])} ${c.count[i] === 1 ? 'message' : 'messages'}${shares}`;
}

// Points at step i, or with null at none.
function pointAt(i) {
  at = i;
  const c = data;
  const button = byId('point-open');
  button.disabled = i === null || !c.count[i];
  if (i === null) {
    setText(byId('point'), `${count(c.x.length)} ${c.x.length === 1 ? 'point' : 'points'}, one for each ${stepName(c.step.name)}. Point at one, or use the slider.`);
    return;
  }
  setText(byId('point'), sentence(c, i));
  const slider = byId('slider');
  slider.value = i;
  slider.setAttribute('aria-valuetext', sentence(c, i));
}

const stepName = (name) => ({ '1s': 'second', '10s': '10 seconds', '1m': 'minute', '5m': '5 minutes', '15m': '15 minutes', '1h': 'hour', '6h': '6 hours' }[name] || name);

function open(i) {
  if (data.count[i])
    setState({ view: 'messages', range: null, since: new Date(data.start[i]).toISOString(), until: new Date(data.end[i]).toISOString() });
}

function zoom(from, to) {
  const first = data.end.findIndex((end) => end > from * 1000);
  const last = data.start.findLastIndex((start) => start < to * 1000);
  if (first >= 0 && last >= first)
    setState({ range: null, since: new Date(data.start[first]).toISOString(), until: new Date(data.end[last]).toISOString() });
}

function draw() {
  drawn?.destroy();
  drawnWidth = width();
  drawn = drawPlots({ mean: byId('plot-mean'), count: byId('plot-count'), share: byId('plot-share') }, data, drawnWidth,
    { point: (i) => i !== null && pointAt(i), pick: open, zoom }); // the last point stays when the pointer leaves
}

const row = (c, i) => [point(c.start[i], c.step.ms), count(c.count[i]), signed(c.mean[i]), signed(c.low[i]), signed(c.high[i]), count(c.positive[i]),
  count(c.neutral[i]), count(c.negative[i])];

function show(c) {
  if (!c?.x.length) {
    drawn?.destroy();
    drawn = null;
    return false;
  }
  data = c;
  draw();
  const slider = byId('slider');
  slider.max = c.x.length - 1;
  slider.value = c.x.length - 1;
  slider.setAttribute('aria-valuetext', sentence(c, c.x.length - 1));
  pointAt(null);
  byId('plots').setAttribute('aria-label', `Mean score, messages and label shares from ${point(c.start[0], c.step.ms)} to ${
    point(c.end.at(-1) - 1, c.step.ms)}; the table below has the same figures.`);
  byId('coarser').hidden = !c.step.coarser;
  twin(c.x.length, (i) => row(c, c.x.length - 1 - i));
  return true;
}

async function file(form) {
  if (form === 'csv') {
    const numbers = data.x.map((_, i) => [new Date(data.start[i]).toISOString(), data.count[i], data.mean[i], data.low[i], data.high[i],
      ...LABELS.map((l) => data[l][i])]);
    download(fileName('over-time', 'csv'), new Blob([csvLine(COLUMNS), ...numbers.map(csvLine)], { type: 'text/csv' }));
    return;
  }
  await drawn.done;
  const svg = plotsSvg(drawn, 'Sentiment over time');
  download(fileName('over-time', form), form === 'svg' ? svgFile(svg) : await png(svg));
}

let twin;

// Returns what loads it again.
export function startOverTime() {
  twin = pagedTable(byId('over-time-table'), 'Sentiment over time', COLUMNS);
  const slider = byId('slider');
  slider.addEventListener('input', () => {
    pointAt(Number(slider.value));
    drawn.point(Number(slider.value));
  });
  slider.addEventListener('focus', () => { if (at === null) slider.dispatchEvent(new Event('input')); });
  slider.addEventListener('keydown', (e) => e.key === 'Enter' && open(Number(slider.value)));
  byId('point-open').addEventListener('click', () => at !== null && open(at));
  choose(byId('step'), state().step, stepName(state().step));
  byId('step').addEventListener('change', (e) => setState({ step: e.target.value || null }));
  for (const form of ['svg', 'png', 'csv']) byId(`over-time-${form}`).addEventListener('click', () => data && file(form));
  new ResizeObserver(debounce(50, () => drawn && byId('plots').clientWidth && drawnWidth !== width() && draw())).observe(byId('plots'));
  onTheme(() => drawn && draw());
  return panel('over-time', {
    load: async (signal) => {
      const range = await extent(signal);
      const got = range && await series(range, signal);
      if (got) await breathe();
      return got;
    },
    show, empty: 'There are no messages with a time here.',
  });
}
