// The HTML of the chat.
import { button, html, page } from '../shared/html.mjs'

export const renderSignIn = () =>
  page({
    title: 'Chat',
    content: html`<form method="post" action="/sign-in">
  <label>Your name <input name="name" required maxlength="50" autocomplete="off"></label>
  <button>Sign in</button>
</form>`,
  })

export const renderChat = ({ user }) =>
  page({
    title: 'Chat',
    content: html`<p>Signed in as <strong id="user">${user}</strong>. <span id="state" role="status">Connecting …</span></p>
<ul id="messages" aria-live="polite"></ul>
<form id="say">
  <label>Message <input name="text" required maxlength="500" autocomplete="off"></label>
  <button>Send</button>
</form>
<div class="actions">${button('/sign-out', 'Sign out')} ${button('/sign-out-everywhere', 'Sign out everywhere')}</div>
<script src="/client.js"></script>`,
  })
