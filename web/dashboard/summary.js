// The figures at the top: how many messages, their mean, and the labels' shares as a bar with signs and patterns.
import { scan } from './api.js';
import { byId, make, setText } from './dom.js';
import { LABELS, SIGN, count, percent, signed } from './format.js';
import { panel } from './panel.js';
import { halfWidth, total } from './series.js';
import { filtered, query } from './state.js';

let last = null;

// How many messages match the filter; null: unknown.
export const matching = () => last;

function bar(sum, n) {
  byId('share-bar').replaceChildren(...LABELS.filter((l) => sum[l]).map((label) => {
    const part = make('span', { class: `part ${label}` });
    part.style.flexGrow = String(sum[label] / n);
    return part;
  }));
  byId('shares').replaceChildren(...LABELS.map((label) => make('li', { class: label },
    make('span', { class: `swatch ${label}`, 'aria-hidden': 'true' }), make('span', {}, `${SIGN[label]} ${label}`),
    make('strong', {}, n ? percent(sum[label] / n) : '–'), make('span', { class: 'dim' }, count(sum[label])))));
}

export function showSummary({ items }) {
  const sum = total(items);
  last = sum.count;
  if (!sum.count) return false;
  const half = halfWidth({ count: sum.scored, mean: sum.mean, stdev: sum.stdev });
  setText(byId('total'), count(sum.count));
  setText(byId('unscored'), sum.count > sum.scored ? `${count(sum.count - sum.scored)} not scored yet` : 'all scored');
  setText(byId('mean'), signed(sum.mean));
  setText(byId('mean-band'), half === null ? 'from −1 to +1' : `± ${half.toFixed(3)} (95%)`);
  bar(sum, sum.positive + sum.neutral + sum.negative);
  return true;
}

export const summaryPath = () => `v1/stats?${query({ by: 'label' })}`;

export function startSummary() {
  return panel('summary', {
    load: (signal) => {
      last = null;
      return scan(summaryPath(), signal);
    },
    show: showSummary,
    empty: () => (filtered() ? 'No message matches the filter.' : 'There are no messages yet. Send some to POST /v1/messages, or by senti-store.'),
  });
}
