// The pages of the example, apart from app.mjs so that the code about sessions stands by itself.
const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escapeHtml = value => String(value).replace(/[&<>"']/g, character => ENTITIES[character])

const layout = (title, content) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>
  body { max-width: 44rem; margin: 3rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; color: #222 }
  dt, .quiet { color: #555 }
  dt { margin-top: 1rem }
  dd, pre { margin: 0; font-size: 1.25rem }
  pre { padding: .75rem; background: #eee; font-size: .8rem; white-space: pre-wrap; overflow-wrap: anywhere }
  form, .quiet { margin-top: 2rem }
  input, button { font: inherit; padding: .25rem .75rem }
  button { white-space: nowrap }
  table { width: 100%; border-collapse: collapse; margin: 1.5rem 0 }
  th, td { padding: .75rem .75rem .75rem 0; border-bottom: 1px solid #ddd; text-align: left }
  th { font-weight: normal; color: #555 }
  td:first-child { overflow-wrap: anywhere }
  td:last-child { padding-right: 0; text-align: right }
  td form { margin: 0 }
  mark { padding: .1rem .5rem; border-radius: 1rem; background: #dcebdc; font-size: .8rem; white-space: nowrap }
  time { white-space: nowrap }
  @media (max-width: 40rem) {
    body { margin: 1.5rem auto }
    thead { display: none }
    tr { display: block; padding: .75rem 0; border-bottom: 1px solid #ddd }
    td { display: block; padding: .1rem 0; border: 0 }
    td[data-label]::before { content: attr(data-label) ': '; color: #555 }
    td:last-child { padding-top: .5rem; text-align: left }
  }
</style>
<h1>${title}</h1>
${content}
`

const button = (action, label, fields = '') =>
  `<form method="post" action="${action}">${fields}<button>${label}</button></form>`

const signInForm = `<form method="post" action="/sign-in">
  <label>Your name <input name="name" required maxlength="50" autocomplete="off"></label>
  <button>Sign in</button>
</form>`

const NO_DEVICES = `<p class="quiet">There is no list of your devices: each session is in its own cookie, and the server
  knows of none that does not ask.</p>`

export function renderPage({ views, user, isNew, cookie, isStored, hasDevices }) {
  const devices = hasDevices ? '<p class="quiet"><a href="/devices">Your devices</a></p>' : ''
  const signedIn = `${isStored ? devices : NO_DEVICES}\n${button('/sign-out', 'Sign out')}`
  return layout(
    'A session, live',
    `<dl>
  <dt>Views in this session</dt><dd id="views">${views}</dd>
  <dt>Signed in</dt><dd id="user">${escapeHtml(user ?? 'nobody')}</dd>
  <dt>This session is</dt><dd id="age">${isNew ? 'new' : 'known from before'}</dd>
  <dt>The session cookie your browser sent</dt><dd><pre id="cookie">${escapeHtml(cookie ?? 'none')}</pre></dd>
</dl>
${user === undefined ? signInForm : signedIn}`,
  )
}

// `devices` as the store lists them; `ownHandle` is that of the session in which the page is asked for.
export function renderDevices({ user, devices, ownHandle }) {
  const rows = devices.map(device => renderDevice(device, device.handle === ownHandle))
  const others = devices.length > 1 ? button('/devices/sign-out-others', 'Sign out everywhere else') : ''
  return layout(
    'Your devices',
    `<p>Where ${escapeHtml(user)} is signed in.</p>
<table>
  <thead><tr><th>Device<th>Signed in<th>Last seen<th></tr></thead>
  <tbody>${rows.join('')}
  </tbody>
</table>
${others}
<p class="quiet"><a href="/">Back to the session</a></p>`,
  )
}

function renderDevice({ handle, createdAt, seenAt, data }, isThis) {
  const field = `<input type="hidden" name="handle" value="${escapeHtml(handle)}">`
  const signOut = isThis ? button('/sign-out', 'Sign out') : button('/devices/sign-out', 'Sign out', field)
  return `
  <tr>
    <td>${escapeHtml(data.device ?? 'An unknown device')} ${isThis ? '<mark>this one</mark>' : ''}</td>
    <td data-label="Signed in">${renderTime(createdAt)}</td>
    <td data-label="Last seen">${renderTime(seenAt)}</td>
    <td>${signOut}</td>
  </tr>`
}

function renderTime(instant) {
  const iso = new Date(instant).toISOString()
  return `<time datetime="${iso}">${iso.slice(0, 16).replace('T', ' ')} UTC</time>`
}

export const renderOutage = () =>
  layout(
    'Back in a moment',
    `<p>The store in which sessions are kept does not answer.</p>
<p class="quiet"><a href="/">Try again</a></p>`,
  )
