// The dashboard of senti-serve: starts its parts, and shows and refreshes those of the view that the address names.
import 'uplot/dist/uPlot.min.css';
import './style.css';
import { early, onToken } from './api.js';
import { byId, painted } from './dom.js';
import { startDrop } from './drop.js';
import { onFeed, startFeed } from './feed.js';
import { startFilters } from './filters.js';
import { onCorrected, startMessage } from './message.js';
import { corrected, showWhere, startMessages } from './messages.js';
import { startOverTime } from './overtime.js';
import { startScore } from './score.js';
import { startSignIn } from './signin.js';
import { FILTERS, address, onState, view } from './state.js';
import { startStatus } from './status.js';
import { startSummary } from './summary.js';
import { startTerms } from './terms.js';

const FRESH_MS = 15e3; // how soon figures are asked for again while messages come, at the earliest
const TITLES = { overview: 'Overview', messages: 'Messages', score: 'Score texts' };

let reload; // what loads each part again

function showView() {
  const now = view();
  for (const name of Object.keys(TITLES)) {
    byId(name).hidden = name !== now;
    const link = document.querySelector(`nav [data-view=${name}]`);
    link.href = address({ view: name === 'overview' ? null : name, message: null, after: null });
    if (name === now) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  byId('filters').hidden = now === 'score';
  document.title = `${TITLES[now]} · senti`;
}

// Loads what the view shows; resolves when it stands there.
async function refresh() {
  const began = performance.now();
  const now = view();
  if (now === 'overview') await Promise.all([reload.summary(), reload.overTime(), reload.terms()]);
  else if (now === 'messages') await Promise.all([reload.list(), reload.summary().then(showWhere)]);
  else await reload.score();
  took = performance.now() - began;
}

// Figures follow the feed, but slow ones less often.
let took = 0;
let due = null;
function stale() {
  due ??= setTimeout(() => {
    due = null;
    if (!document.hidden && view() === 'overview') refresh();
  }, Math.max(FRESH_MS, took * 20));
}

function skip(e) {
  e.preventDefault();
  byId('main').focus();
}

function follow(keys) {
  showView();
  if (keys.has('view')) {
    scrollTo(0, 0);
    byId('main').focus({ preventScroll: true });
  }
  const of = { overview: ['view', 'step', ...FILTERS], messages: ['view', 'order', 'limit', 'after', ...FILTERS], score: ['view'] }[view()];
  if (of.some((k) => keys.has(k))) refresh();
}

async function start() {
  // The first figures come first, unless one goes elsewhere meanwhile.
  await Promise.race([early.shown, new Promise((done) => onState(done))]);
  early.over = true;
  onState(follow);
  onFeed(stale);
  onToken((what) => what === 'changed' && refresh());
  const sources = startFilters();
  showView();
  reload = { summary: startSummary(), overTime: startOverTime(), terms: startTerms(), list: startMessages(), score: startScore() };
  byId('skip').addEventListener('click', skip);
  startSignIn();
  startMessage();
  onCorrected(corrected);
  startDrop();
  await refresh();
  early.clear();
  painted('senti-all');
  startFeed();
  sources();
  startStatus()();
}

start();
