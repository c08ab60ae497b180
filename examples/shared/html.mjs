// HTML for the pages of the examples: escaped by itself, one form for all of them, and no scripts.
import { createHash } from 'node:crypto'

class Html {
  constructor(text) {
    this.text = text
  }
}

// A tag for templates: html`<p>${name}</p>`. What is put in is escaped, unless it is such a piece itself, or a list of them.
export const html = (parts, ...values) => new Html(String.raw({ raw: parts }, ...values.map(textOf)))

function textOf(value) {
  if (value instanceof Html) return value.text
  if (Array.isArray(value)) return value.map(textOf).join('')
  return String(value ?? '').replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)
}

const STYLE = `
  :root { color-scheme: light dark; --text: #222; --quiet: #555; --page: #fff; --line: #ddd; --mark: #dcebdc; --link: #0645ad }
  @media (prefers-color-scheme: dark) {
    :root { --text: #e4e4e4; --quiet: #a8a8a8; --page: #181818; --line: #3c3c3c; --mark: #23432a; --link: #8ab4f8 }
  }
  body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif }
  body { background: var(--page); color: var(--text); overflow-wrap: anywhere }
  a { display: inline-block; min-height: 44px; line-height: 44px; color: var(--link) }
  label { display: block; margin: 1rem 0 }
  input, button { font: inherit; min-height: 44px; padding: .25rem .75rem; box-sizing: border-box; max-width: 100% }
  button, th, time { white-space: nowrap }
  .actions { display: flex; flex-wrap: wrap; gap: .5rem 1rem; margin: 1.5rem 0 }
  .notice, mark { padding: .1rem .75rem; border-radius: .25rem; background: var(--mark); color: inherit }
  table { width: 100%; border-collapse: collapse; margin: 1.5rem 0 }
  th, td { padding: .75rem .75rem .75rem 0; border-bottom: 1px solid var(--line); text-align: left }
  th { font-weight: normal; color: var(--quiet) }
  td[data-label=Handle] { font: .875rem/1.5 ui-monospace, monospace; word-break: break-all }
  td .actions { margin: 0 }
  @media (max-width: 44rem) {
    thead { display: none }
    tr { display: block; padding: .75rem 0; border-bottom: 1px solid var(--line) }
    td { display: block; padding: .1rem 0; border: 0 }
    td[data-label]::before { content: attr(data-label) ': '; color: var(--quiet); font: 1rem/1.5 system-ui, sans-serif }
    td .actions { padding-top: .5rem }
  }
`

// What a browser may do with these pages: show them with the style above, and send their forms to where they come from. It
// loads nothing, runs no script, and puts them into no frame.
const styleHash = createHash('sha256').update(STYLE).digest('base64')
export const CONTENT_POLICY = [
  ...["default-src 'none'", `style-src 'sha256-${styleHash}'`, 'img-src data:'],
  ...["form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"],
].join('; ')

export const page = ({ title, notice, content }) =>
  html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,">
<title>${title}</title>
<style>${new Html(STYLE)}</style>
<main>
<h1>${title}</h1>
${notice === undefined ? '' : html`<p class="notice" role="status">${notice}</p>`}
${content}
</main>
`.text

// Without a script nobody knows the time zone of the reader.
export function time(instant) {
  const iso = new Date(instant).toISOString()
  return html`<time datetime="${iso}">${iso.slice(0, 16).replace('T', ' ')} UTC</time>`
}

// `fields`: what the form sends beside the button, which nobody sees.
export const button = (action, label, fields = {}) => html`<form method="post" action="${action}">
  ${Object.entries(fields).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
  <button>${label}</button>
</form>`
