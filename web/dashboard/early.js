// The first script of the page, and a small one. It asks for what the overview shows while the other code is still on its way, and shows the figures at the
// top by itself. A span that counts back from now has another path each time it is asked for, so nothing of it is asked for here.
import { early, scanEarly } from './api.js';
import { byId, painted } from './dom.js';
import { extent, groupsPath, stepFor } from './series.js';
import { state, view } from './state.js';
import { showSummary, summaryPath } from './summary.js';
import { termsPath } from './terms.js';

const parsed = () => new Promise((done) => {
  if (document.readyState === 'loading') document.addEventListener('readystatechange', done, { once: true });
  else done();
});

async function summary() {
  const got = await scanEarly(summaryPath());
  await parsed();
  if (early.over) return;
  byId('overview').hidden = false;
  if (showSummary(got)) await painted('senti-data');
}

async function overTime() {
  const range = await extent(undefined, scanEarly);
  if (range) await scanEarly(groupsPath(stepFor(range)));
}

// Whoever asks again shows what is wrong.
if (view() === 'overview' && !state().range) {
  early.shown = summary().catch(() => {});
  for (const part of [overTime(), scanEarly(termsPath())]) part.catch(() => {});
}
