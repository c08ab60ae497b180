/* Users, each with two browsers, that send several requests at once and note what became of them. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Ask, Reply } from '../faults/http.ts'
import { cookiesFrom, headerFrom } from '../support/set-cookie.mjs'
import type { Asked, Entry, Life, Page, Seen } from './history.ts'
import type { Line, Step } from './script.ts'

const COOKIE = 'koa.sess'

/** What a browser has: the cookie of now, and each that it was ever sent, by its id. */
interface Browser {
  id: string | undefined
  readonly cookies: Map<string, string>
  isRefused: boolean
}

/** Plays the scripts of one user, a browser each, at the same time, until `signal`. Then reads what is left of the user's sessions. */
export async function live(
  asks: readonly Ask[],
  user: string,
  scripts: readonly Step[][],
  signal: AbortSignal,
): Promise<Life> {
  const entries: Entry[] = []
  const note = async (line: Line, browser: Browser, id: string | undefined, more: Partial<Entry> = {}) => {
    const { process, old, ...rest } = line
    const ask = asks[Math.floor(process * asks.length)]
    if (!ask) throw new Error('there is no process')
    const entry = { ...(await send(ask, { ...rest, user }, browser, id)), ...more }
    entries.push(entry)
    return entry
  }
  const browsers = scripts.map((): Browser => ({ id: undefined, cookies: new Map(), isRefused: false }))
  await Promise.all(browsers.map((browser, index) => play(browser, scripts[index] ?? [], note, signal)))

  const audit = (page: Page, browser: Browser, id?: string) => {
    const line = { request: `${user}.audit-${entries.length}`, page, process: entries.length % 2 ? 0 : 0.5 }
    return note({ ...line, before: 0, after: 0 }, browser, id, { isAudit: true })
  }
  for (const browser of browsers) await audit('audit', browser)
  for (const browser of browsers) for (const id of browser.cookies.keys()) await audit('read', browser, id)
  return { user, entries }
}

type Note = (line: Line, browser: Browser, id: string | undefined) => Promise<Entry>

async function play(browser: Browser, script: readonly Step[], note: Note, signal: AbortSignal): Promise<void> {
  for (const { lines, signIn, pause } of script) {
    await sleep(pause)
    if (signal.aborted) return
    // A user who is told that they are not signed in does so again.
    if (browser.id === undefined || browser.isRefused) take(browser, await note(signIn, browser, browser.id))
    browser.isRefused = false
    const sent = lines.map(async line => {
      const former = line.old === undefined ? undefined : [...browser.cookies.keys()][indexOf(line.old, browser)]
      const entry = await note(line, browser, former ?? browser.id)
      // What a copy of an old cookie is answered, the browser does not see.
      if (former === undefined) take(browser, entry)
    })
    await Promise.all(sent)
  }
}

const indexOf = (fraction: number, { cookies }: Browser) => Math.floor(fraction * cookies.size)

/** In the order in which answers arrive, as in a browser. */
function take(browser: Browser, { sent, status }: Entry): void {
  if (sent !== undefined) browser.id = sent || undefined
  if (status === 401) browser.isRefused = true
}

async function send(ask: Ask, asked: Asked, browser: Browser, id: string | undefined): Promise<Entry> {
  const start = performance.now()
  const reply = await ask(`/?asked=${encodeURIComponent(JSON.stringify(asked))}`, browser.cookies.get(id ?? ''))
  const end = performance.now()
  const { loaded, listed } = contentOf(reply)
  const sent = keep(browser, reply)
  return { ...asked, presented: id, start, end, status: reply.status, code: reply.code, sent, loaded, listed }
}

function contentOf({ text }: Reply): { loaded?: Seen; listed?: readonly Seen[] } {
  return text.startsWith('{') ? JSON.parse(text) : {}
}

/** Keeps the cookie that is sent, under its id, which is returned; empty where it is cleared. */
function keep({ cookies }: Browser, { setCookie }: Reply): string | undefined {
  const id = cookiesFrom(setCookie).get(COOKIE)
  if (id && !cookies.has(id)) cookies.set(id, headerFrom(setCookie))
  return id
}
