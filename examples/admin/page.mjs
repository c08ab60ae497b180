// The HTML of the admin page.
import { button, html, page, time } from '../shared/html.mjs'

const MOST_SHOWN = 100

export const renderSignIn = ({ notice }) =>
  page({
    title: 'Administration',
    notice,
    content: html`<form method="post" action="/sign-in">
  <label>Password <input type="password" name="password" required autocomplete="current-password"></label>
  <button>Sign in</button>
</form>`,
  })

export const renderStart = ({ notice, count }) =>
  page({
    title: 'Sessions',
    notice,
    content: html`<p>Live now: <strong id="count">${count}</strong></p>
<form action="/user">
  <label>Name of a user <input name="user" required maxlength="50" autocomplete="off"></label>
  <button>Show sessions</button>
</form>
<div class="actions">${button('/sign-out', 'Sign out')}</div>`,
  })

export const renderUser = ({ notice, user, sessions }) =>
  page({
    title: `Sessions of ${user}`,
    notice,
    content: html`<p>Live now: <strong id="count">${sessions.length}</strong>${
      sessions.length > MOST_SHOWN ? `, of which the newest ${MOST_SHOWN} are shown` : ''
    }</p>
${table(sessions.slice(0, MOST_SHOWN), one => actions(user, one, sessions.length > 1))}
<div class="actions">
  ${sessions.length > 0 ? ask('/end-all', 'End all …', { user }) : ''}
  <a href="/">Another user</a>
</div>`,
  })

// Before what ends many. `kept` is the session that goes on, if there is one.
export const renderConfirmation = ({ user, kept, ending }) =>
  page({
    title: `End all ${kept ? 'other sessions' : 'sessions'} of ${user}?`,
    content: html`<p>${ending.length === 1 ? 'One session ends' : `${ending.length} sessions end`}.
  ${kept ? html`This one goes on:` : html`${user} is signed out everywhere.`}</p>
${kept ? table([kept], () => '') : ''}
<div class="actions">
  ${kept ? button('/end-others', 'End all others', { user, handle: kept.handle }) : button('/end-all', 'End all', { user })}
  <a href="/user?${new URLSearchParams({ user })}">Cancel</a>
</div>`,
  })

const table = (sessions, actionsOf) => html`<table>
  <thead><tr><th>Device<th>Handle<th>Created<th>Last seen<th></tr></thead>
  <tbody>${sessions.map(
    one => html`
  <tr>
    <td>${one.device ?? 'An unknown device'}</td>
    <td data-label="Handle">${one.handle}</td>
    <td data-label="Created">${time(one.createdAt)}</td>
    <td data-label="Last seen">${time(one.seenAt)}</td>
    <td><div class="actions">${actionsOf(one)}</div></td>
  </tr>`,
  )}
  </tbody>
</table>`

const actions = (user, { handle }, hasOthers) => html`${button('/end', 'End', { user, handle })}
  ${hasOthers ? ask('/end-others', 'End all others …', { user, handle }) : ''}`

// Leads to a confirmation, and changes nothing.
const ask = (path, label, query) => html`<a href="${path}?${new URLSearchParams(query)}">${label}</a>`
