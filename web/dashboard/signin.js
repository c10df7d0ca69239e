// Signing in with a token, which stays in this tab (sessionStorage) and goes to this server alone.
import { onToken, setToken, token } from './api.js';
import { byId, setText } from './dom.js';

let refused = false;

function show() {
  setText(byId('sign'), token() ? 'Sign out' : 'Sign in');
  byId('sign').hidden = !token() && !refused;
}

function ask() {
  const dialog = byId('sign-in');
  setText(byId('sign-in-why'), token() ? 'The server does not know this token (any more).' : 'This server asks for a token. Whoever runs it makes one with:');
  byId('sign-in-how').hidden = Boolean(token());
  if (dialog.open) return;
  byId('token').value = '';
  dialog.showModal();
}

export function startSignIn() {
  onToken((what) => {
    if (what === 'needed') {
      refused = true;
      ask();
    }
    show();
  });
  byId('sign').addEventListener('click', () => {
    if (token()) setToken(null);
    else ask();
  });
  byId('sign-in-form').addEventListener('submit', (e) => {
    e.preventDefault();
    byId('sign-in').close();
    setToken(byId('token').value.trim());
  });
  byId('sign-in-cancel').addEventListener('click', () => byId('sign-in').close());
  show();
}
