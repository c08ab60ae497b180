// The pages of the example, apart from app.mjs so that the code about sessions stands by itself.
const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escapeHtml = value => String(value).replace(/[&<>"']/g, character => ENTITIES[character])

const STYLE = `
  :root {
    color-scheme: light dark;
    --text: #222; --quiet: #555; --page: #fff; --box: #eee; --line: #ddd; --mark: #dcebdc; --link: #0645ad;
  }
  @media (prefers-color-scheme: dark) {
    :root {
      --text: #e4e4e4; --quiet: #a8a8a8; --page: #181818; --box: #272727; --line: #3c3c3c; --mark: #23432a; --link: #8ab4f8;
    }
  }
  body { max-width: 60rem; margin: 3rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif }
  body { background: var(--page); color: var(--text) }
  a { color: var(--link) }
  dt, .quiet, figcaption { color: var(--quiet) }
  dt { margin-top: 1rem }
  dd { margin: 0; font-size: 1.25rem }
  .cookies { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; margin: 1.5rem 0 }
  figure { margin: 0; min-width: 0 }
  pre { margin: .25rem 0 0; padding: .75rem; background: var(--box); font-size: .8rem }
  pre { white-space: pre-wrap; overflow-wrap: anywhere }
  code { padding: 0 .25rem; background: var(--box) }
  form, .quiet { margin-top: 2rem }
  input, button, .quiet a { min-height: 44px; box-sizing: border-box }
  input, button { font: inherit; padding: .25rem .75rem }
  input { max-width: 100% }
  button, th, time { white-space: nowrap }
  .quiet a { display: inline-block; line-height: 44px }
  table { width: 100%; border-collapse: collapse; margin: 1.5rem 0 }
  th, td { padding: .75rem .75rem .75rem 0; border-bottom: 1px solid var(--line); text-align: left }
  th { font-weight: normal; color: var(--quiet) }
  td:first-child { overflow-wrap: anywhere }
  td:last-child { padding-right: 0; text-align: right }
  td form { margin: 0 }
  mark { padding: .1rem .5rem; border-radius: 1rem; font-size: .8rem; white-space: nowrap }
  mark, .notice { background: var(--mark); color: inherit }
  .notice { padding: .75rem; border-radius: .25rem }
  @media (max-width: 40rem) {
    body { margin: 1.5rem auto }
    .cookies { grid-template-columns: 1fr }
    thead { display: none }
    tr { display: block; padding: .75rem 0; border-bottom: 1px solid var(--line) }
    td { display: block; padding: .1rem 0; border: 0 }
    td[data-label]::before { content: attr(data-label) ': '; color: var(--quiet) }
    td:last-child { padding-top: .5rem; text-align: left }
  }
`

// Only the browser knows the time zone: the server writes times in UTC, and this makes local ones of them.
const LOCAL_TIMES = `
  for (const time of document.querySelectorAll('time'))
    time.textContent = new Date(time.dateTime).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' })
`

const layout = (title, content) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>${STYLE}</style>
<h1>${title}</h1>
${content}
<script>${LOCAL_TIMES}</script>
`

const renderNotice = notice => (notice === undefined ? '' : `<p class="notice" role="status">${escapeHtml(notice)}</p>`)

const button = (action, label, fields = '') =>
  `<form method="post" action="${action}">${fields}<button>${label}</button></form>`

const signInForm = `<form method="post" action="/sign-in">
  <label>Your name <input name="name" required maxlength="50" autocomplete="off"></label>
  <button>Sign in</button>
</form>`

const OF_THE_MIDDLEWARE = `<p><code>_expire</code>, <code>_maxAge</code> and <code>_meta</code> are added by koa-session:
  when the session ends, how long it lives unused, when it began and when somebody signed in. All are in milliseconds.</p>`

const NO_DEVICES = `<p class="quiet">There is no list of your devices: each session is in its own cookie, and the
  server keeps none of them.</p>`

// `cookies.after` is `undefined` where the response has none: the browser keeps the one that it sent.
export function renderPage({ views, user, isNew, maxAge, notice, cookies, mode, hasDevices }) {
  const { key, before = 'none', after = before } = cookies
  const devices = hasDevices ? '<p class="quiet"><a href="/devices">Your devices</a></p>' : ''
  const signedIn = `${mode.store ? devices : NO_DEVICES}\n${button('/sign-out', 'Sign out')}`
  return layout(
    'A session, live',
    `${renderNotice(notice)}
<p id="mode">${renderMode(mode)}</p>
<dl>
  <dt>Views in this session</dt><dd id="views">${views}</dd>
  <dt>Signed in</dt><dd id="user">${escapeHtml(user ?? 'nobody')}</dd>
  <dt>This session is</dt><dd id="age">${isNew ? 'new' : 'known from before'}</dd>
  <dt>It ends</dt><dd id="lifetime">${renderLifetime(maxAge)}</dd>
</dl>
<div class="cookies">
  <figure><figcaption>The cookie <code>${escapeHtml(key)}</code> that your browser sent</figcaption>
    <pre id="cookie">${escapeHtml(before)}</pre></figure>
  <figure><figcaption>After this response it is${after === before ? ' the same' : ''}</figcaption>
    <pre id="cookie-after">${escapeHtml(after)}</pre></figure>
</div>
${mode.store || mode.seal ? '' : OF_THE_MIDDLEWARE}
${user === undefined ? signInForm : signedIn}
<h2>What to try</h2>
<ul>
  ${thingsToTry(key, mode, hasDevices).join('\n  ')}
</ul>`,
  )
}

function renderMode({ store, seal }) {
  if (store) return `The session is in ${escapeHtml(store)}. The cookie has only its id.`
  if (seal) return 'The session is in the cookie, encrypted: you can neither read nor change it.'
  return 'The session is in the cookie, signed: you can read it, but not change it.'
}

const renderLifetime = maxAge =>
  maxAge === 'session'
    ? 'when you close the browser'
    : `${inWords(maxAge)} after your last visit: ${renderTime(Date.now() + maxAge)}`

function thingsToTry(key, { store }, hasDevices) {
  const list = [
    'Reload this page. The count goes up.',
    'Open it in a private window. That is another visitor, who has another session.',
    `In the developer tools, change one letter of the cookie <code>${escapeHtml(key)}</code>, and reload. You get a new session.`,
  ]
  if (hasDevices)
    list.push('Sign in here and, with the same name, in a private window. Sign the other one out from “Your devices”.')
  list.push(
    store
      ? 'Stop the server and start it again. The session goes on, unless it is in memory.'
      : 'Start the server with <code>--store memory:</code>. Then the cookie has an id, and there is a list of devices.',
  )
  return list.map(text => `<li>${text}</li>`)
}

// Milliseconds in the largest unit that they fill: "1 day".
function inWords(milliseconds) {
  const [unit, size] = UNITS.find(([, size]) => milliseconds >= size) ?? UNITS.at(-1)
  const count = Math.round(milliseconds / size)
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}

const UNITS = [
  ['day', 24 * 60 * 60_000],
  ['hour', 60 * 60_000],
  ['minute', 60_000],
  ['second', 1000],
]

// `devices` as the store lists them; `ownHandle` is that of the session in which the page is asked for.
export function renderDevices({ user, devices, ownHandle, notice }) {
  const rows = devices.map(device => renderDevice(device, device.handle === ownHandle))
  const others =
    devices.length > 1
      ? button('/devices/sign-out-others', 'Sign out everywhere else')
      : '<p>Sign in with the same name in another browser, and reload: it is in this list.</p>'
  return layout(
    'Your devices',
    `${renderNotice(notice)}
<p>Where ${escapeHtml(user)} is signed in.</p>
<table>
  <thead><tr><th>Device<th>Signed in<th>Last seen<th>Ends, if not used<th></tr></thead>
  <tbody>${rows.join('')}
  </tbody>
</table>
${others}
<p class="quiet"><a href="/">Back to the session</a></p>`,
  )
}

function renderDevice({ handle, createdAt, seenAt, expiresAt, data }, isThis) {
  const field = `<input type="hidden" name="handle" value="${escapeHtml(handle)}">`
  const signOut = isThis ? button('/sign-out', 'Sign out') : button('/devices/sign-out', 'Sign out', field)
  return `
  <tr>
    <td>${escapeHtml(data.device ?? 'An unknown device')} ${isThis ? '<mark>this one</mark>' : ''}</td>
    <td data-label="Signed in">${renderTime(createdAt)}</td>
    <td data-label="Last seen">${renderTime(seenAt)}</td>
    <td data-label="Ends, if not used">in ${inWords(expiresAt - Date.now())}</td>
    <td>${signOut}</td>
  </tr>`
}

function renderTime(instant) {
  const iso = new Date(instant).toISOString()
  return `<time datetime="${iso}">${iso.slice(0, 16).replace('T', ' ')} UTC</time>`
}

const TITLES = { 400: 'That can’t be done', 403: 'Refused', 404: 'Not found', 413: 'Too long', 503: 'Back in a moment' }
const OUTAGE = 'The store in which sessions are kept does not answer'

export function renderError({ status, message = status === 503 ? OUTAGE : 'The server’s log says more' }) {
  return layout(
    TITLES[status] ?? 'Something went wrong',
    `<p>${escapeHtml(message)}.</p>
<p class="quiet"><a href="/">${status === 503 ? 'Try again' : 'Back to the session'}</a></p>`,
  )
}
