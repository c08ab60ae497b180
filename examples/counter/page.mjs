// The one page of the example, apart from app.mjs so that the code about sessions stands by itself.
const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escapeHtml = value => String(value).replace(/[&<>"']/g, character => ENTITIES[character])

const signInForm = `<form method="post" action="/sign-in">
  <label>Your name <input name="name" required maxlength="50" autocomplete="off"></label>
  <button>Sign in</button>
</form>`
const signOutForm = '<form method="post" action="/sign-out"><button>Sign out</button></form>'

export const renderPage = ({ views, user, isNew, cookie }) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>A session, live</title>
<style>
  body { max-width: 36rem; margin: 3rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif }
  dt { margin-top: 1rem; color: #555 }
  dd, pre { margin: 0; font-size: 1.25rem }
  pre { padding: .75rem; background: #eee; font-size: .8rem; white-space: pre-wrap; overflow-wrap: anywhere }
  form { margin-top: 2rem }
  input, button { font: inherit; padding: .25rem .75rem }
</style>
<h1>A session, live</h1>
<dl>
  <dt>Views in this session</dt><dd id="views">${views}</dd>
  <dt>Signed in</dt><dd id="user">${escapeHtml(user ?? 'nobody')}</dd>
  <dt>This session is</dt><dd id="age">${isNew ? 'new' : 'known from before'}</dd>
  <dt>The session cookie your browser sent</dt><dd><pre id="cookie">${escapeHtml(cookie ?? 'none')}</pre></dd>
</dl>
${user === undefined ? signInForm : signOutForm}
`
