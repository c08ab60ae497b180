/** `absoluteTimeout` and sessions that do not say when they were made: those "until the browser closes" of before. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { site } from './site.ts'

const HOUR = 3_600_000
const NOW = 1_700_000_000_000
const COOKIE = { store: null, encode: JSON.stringify, decode: JSON.parse, genid: undefined }
const UNTIL_CLOSED = { _session: true }

/** Whose session it is, and why it was refused. */
const ROWS: ReadonlyArray<
  readonly [what: string, lifetime: Record<string, unknown>, options: Record<string, unknown>, seen: unknown]
> = [
  ['until the browser closes, without the option', UNTIL_CLOSED, {}, ['ann']],
  ['until the browser closes', UNTIL_CLOSED, { absoluteTimeout: HOUR }, ['nobody', 'absolute']],
  ['until the browser closes, rolling', UNTIL_CLOSED, { absoluteTimeout: HOUR, rolling: true }, ['nobody', 'absolute']],
  ['that says when it was made', { _session: true, _meta: { created: NOW } }, { absoluteTimeout: HOUR }, ['ann']],
  [
    'that was made before',
    { _session: true, _meta: { created: NOW - HOUR } },
    { absoluteTimeout: HOUR },
    ['nobody', 'absolute'],
  ],
  ['that counts from its last save', { _expire: NOW + 5, _maxAge: HOUR }, { absoluteTimeout: HOUR }, ['ann']],
  [
    'whose instant is none',
    { _session: true, _meta: { created: 'x' } },
    { absoluteTimeout: HOUR },
    ['nobody', 'absolute'],
  ],
]

for (const [what, lifetime, options, seen] of ROWS) {
  const modes = {
    cookie: () => {
      const { begin } = site({ ...COOKIE, maxAge: 'session', ...options })
      return begin(JSON.stringify({ user: 'ann', ...lifetime }))
    },
    store: () => {
      const { memory, begin } = site({ maxAge: 'session', ...options })
      memory.set('A', { user: 'ann', ...lifetime }, HOUR)
      return begin('A')
    },
    'a store of three methods': () => {
      const { memory, begin } = site({ maxAge: 'session', ...options }, ['read', 'create', 'patch', 'touch', 'retire'])
      memory.set('A', { user: 'ann', ...lifetime }, HOUR)
      return begin('A')
    },
  }
  for (const [mode, open] of Object.entries(modes)) {
    test(`${mode}: a session ${what} is that of ${seen}`, async () => {
      const request = open()
      await request.scope.start(false)
      const user = request.session.user ?? 'nobody'
      await request.scope.finish()
      const reasons = request.exchange.events.map(event => event.type === 'refused' && event.refused.reason)
      assert.deepEqual([user, ...reasons], seen)
    })
  }
}
