// Labels with their signs, and correcting one where it stands.
import { ask } from './api.js';
import { announce, make } from './dom.js';
import { LABELS, SIGN } from './format.js';

export function chip(label, corrected) {
  if (!label) return make('span', { class: 'chip none' }, 'not scored');
  return make('span', { class: `chip ${label}`, title: corrected ? 'Corrected by a person' : null },
    make('span', { class: 'sign', 'aria-hidden': 'true' }, SIGN[label] || '?'), label,
    corrected && make('span', { class: 'corrected' }, 'corrected'));
}

const pathOf = (id) => `v1/messages/${encodeURIComponent(id)}`;

export async function readMessage(id, signal) {
  return (await ask(pathOf(id), { signal, cache: 'no-store' })).json();
}

async function correct({ id, version }, label) {
  const answer = await ask(pathOf(id), {
    method: 'PATCH', headers: { 'Content-Type': 'application/json', 'If-Match': `"${version}"` }, body: JSON.stringify({ label }),
  });
  return answer.json();
}

function why(e) {
  if (e.status === 403) return 'Your token may read, but not correct labels.';
  if (e.status === 404) return 'This message has been deleted.';
  return `The label is not corrected: ${e.message}.`;
}

// A label that can be corrected, in `place`. `changed` gets the message as it is stored then.
export function labelEditor(place, message, changed) {
  const show = (...what) => place.replaceChildren(...what);

  function closed(focus) {
    const { label, corrected } = message.sentiment || {};
    const button = make('button', { type: 'button', class: 'quiet small edit', 'aria-label': `Correct the label of message ${message.id}`, onclick: open },
      'Correct');
    show(chip(label, corrected), button);
    if (focus) button.focus();
  }

  function choices(keep) {
    return make('span', { class: 'choices', role: 'group', 'aria-label': `Label of message ${message.id}` },
      LABELS.map((label) => make('button', {
        type: 'button', class: `choice ${label}`, 'aria-pressed': String(label === message.sentiment?.label), onclick: () => save(label),
      }, make('span', { class: 'sign', 'aria-hidden': 'true' }, SIGN[label]), label)),
      make('button', { type: 'button', class: 'quiet small', onclick: () => closed(true) }, keep));
  }

  function open() {
    const all = choices('Cancel');
    all.addEventListener('keydown', (e) => {
      if (e.key !== 'Escape') return;
      e.preventDefault();
      e.stopPropagation();
      closed(true);
    });
    show(all);
    (all.querySelector('[aria-pressed=true]') || all.firstChild).focus();
  }

  function adopt(stored) {
    Object.assign(message, stored);
    changed?.(message);
  }

  async function conflict(wanted) {
    adopt(await readMessage(message.id));
    const now = message.sentiment?.label;
    show(make('div', { class: 'conflict', role: 'alert' },
      make('p', {}, 'Somebody changed this message in the meantime. It is now ', chip(now, message.sentiment?.corrected), ` (version ${message.version}).`),
      make('div', { class: 'row' },
        now !== wanted && make('button', { type: 'button', onclick: () => save(wanted) }, `Make it ${wanted}`),
        make('button', { type: 'button', class: 'quiet', onclick: () => closed(true) }, `Keep ${now || 'it'}`))));
    place.querySelector('button').focus();
  }

  async function save(label) {
    try {
      adopt(await correct(message, label));
      closed(true);
      announce(`The label is now ${label}.`);
    } catch (e) {
      if (e.status === 412) await conflict(label).catch(failed);
      else failed(e);
    }
  }

  function failed(e) {
    closed(true);
    place.append(make('p', { class: 'bad', role: 'alert' }, why(e)));
  }

  closed(false);
}
