/* Secrets are replaced while several processes serve the same visitors, of which some know the new list and some do not. */

import assert from 'node:assert/strict'
import test from 'node:test'
import type { CreateSessionOptions } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { newSecret } from '../support/secrets.ts'
import { appOf, ask, cookiesFrom, headerOf, simpleStore } from '../support/story.ts'

const [OLD, NEW] = [newSecret(), newSecret()]

/** The lists of all processes during each deployment of the README, one after the other. */
const STEPS: Readonly<Record<string, ReadonlyArray<readonly string[]>>> = {
  'before it': [[OLD], [OLD]],
  'while the new secret comes second': [[OLD], [OLD, NEW]],
  'when all know it': [
    [OLD, NEW],
    [OLD, NEW],
  ],
  'while it comes first': [
    [OLD, NEW],
    [NEW, OLD],
  ],
  'when it is first': [
    [NEW, OLD],
    [NEW, OLD],
  ],
  'while the old one goes': [[NEW, OLD], [NEW]],
  'after it': [[NEW], [NEW]],
}

const MODES: Readonly<Record<string, () => CreateSessionOptions>> = {
  'a signed cookie': () => ({}),
  'a sealed cookie': () => ({ seal: true }),
  'the signed id of a stored session': () => ({ store: simpleStore() }),
  'the sealed id of a stored session': () => ({ store: memoryStore(), seal: true }),
}

/** What the pages of one visitor say, who is served by one process after the other, and by each of them in turn. */
async function visits(options: CreateSessionOptions, steps: Iterable<readonly (readonly string[])[]>) {
  const jar = new Map<string, string>()
  const pages: string[] = []
  const visit = async (path: string, keys: readonly string[]) => {
    const { text, lines } = await ask(appOf(options, {}, [...keys]).app, path, headerOf(jar))
    for (const [name, value] of cookiesFrom(lines)) jar.set(name, value)
    pages.push(text)
  }
  await visit('/in', [OLD])
  for (const processes of steps)
    for (let times = 0; times < 2; times++) for (const keys of processes) await visit('/', keys)
  return pages.slice(1)
}

for (const [mode, options] of Object.entries(MODES)) {
  test(`${mode} stays good while secrets are replaced in two steps, whichever process answers`, async () => {
    for (const [when, steps] of Object.entries(STEPS).map(([when], at, all) => [when, all.slice(0, at + 1)] as const)) {
      const pages = await visits(
        options(),
        steps.map(([, processes]) => processes),
      )
      assert.deepEqual(new Set(pages), new Set(['ada']), when)
    }
  })

  test(`${mode} is lost where the new secret comes first at once, and a process does not know it yet`, async () => {
    const pages = await visits(options(), [[[NEW, OLD], [OLD]]])
    assert.deepEqual(pages.slice(0, 2), ['ada', 'nobody'])
  })

  test(`${mode} of a visitor who was away until the old secret went is over`, async () => {
    assert.deepEqual(new Set(await visits(options(), [[[NEW], [NEW]]])), new Set(['nobody']))
  })
}
