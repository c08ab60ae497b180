// The HTML of the example.
import { button, html, page, time } from '../shared/html.mjs'

export const renderSignIn = ({ notice }) =>
  page({
    title: 'Sign in',
    notice,
    content: html`<form method="post" action="/sign-in">
  <label>Name <input name="name" required maxlength="50" autocomplete="username"></label>
  ${currentPassword}
  <button>Sign in</button>
</form>`,
  })

const currentPassword = html`<label>Password
  <input type="password" name="password" required maxlength="200" autocomplete="current-password"></label>`

// Of no use here, but password managers look for it.
const whose = user => html`<label>Name <input name="name" value="${user}" readonly autocomplete="username"></label>`

// `devices` as the store lists them; `ownHandle` is that of the session in which the page is asked for.
export const renderAccount = ({ user, devices, ownHandle, notice }) =>
  page({
    title: 'Your account',
    notice,
    content: html`<p>Signed in as <strong id="user">${user}</strong>. <a href="/password">Change the password</a></p>
<table>
  <thead><tr><th>Device<th>Signed in<th>Last seen<th></tr></thead>
  <tbody>${devices.map(
    ({ handle, createdAt, seenAt, data }) => html`
  <tr>
    <td>${data.device} ${handle === ownHandle ? html`<mark>this one</mark>` : ''}</td>
    <td data-label="Signed in">${time(createdAt)}</td>
    <td data-label="Last seen">${time(seenAt)}</td>
    <td>${handle === ownHandle ? button('/sign-out', 'Sign out') : button('/sign-out-device', 'Sign out', { handle })}</td>
  </tr>`,
  )}
  </tbody>
</table>
<div class="actions">${button('/sign-out-everywhere', 'Sign out everywhere')}</div>`,
  })

export const renderConfirmation = ({ user, notice }) =>
  page({
    title: 'Your password again',
    notice,
    content: html`<p>Enter it before you change it: somebody else may be at this device.</p>
<form method="post" action="/confirm">
  ${whose(user)}
  ${currentPassword}
  <button>Go on</button>
</form>
<p><a href="/">Cancel</a></p>`,
  })

export const renderNewPassword = ({ user, shortest, notice }) =>
  page({
    title: 'Change the password',
    notice,
    content: html`<p>All your other devices are signed out.</p>
<form method="post" action="/password">
  ${whose(user)}
  <label>New password, of ${shortest} characters or more
    <input type="password" name="password" required minlength="${shortest}" maxlength="200" autocomplete="new-password"></label>
  <button>Change it</button>
</form>
<p><a href="/">Cancel</a></p>`,
  })
