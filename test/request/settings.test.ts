/** The options of one response, and the lifetime of its session. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { resolveConfig } from '../../src/config.ts'
import { Settings } from '../../src/request/settings.ts'
import type { Lifetime } from '../../src/session/model.ts'
import { manualClock } from '../../src/testing/clock.ts'
import { newSecret } from '../support/secrets.ts'
import { type Data, site } from './site.ts'

const ONE_DAY = 24 * 60 * 60 * 1000
const KEYS = [newSecret()]

/** `session`: one with data. */
function open(options: Record<string, unknown> = {}) {
  const clock = manualClock(5000)
  const session: Data = Object.assign(site().begin().session, { user: 'ann' })
  return { clock, session, settings: new Settings(resolveConfig({ maxAge: 1000, now: clock.now, ...options })) }
}

function found(settings: Settings, session: Data, lifetime: Lifetime): void {
  settings.resume(lifetime)
  settings.resumeMark(lifetime, session)
}

/** The lifetime of a session that is saved at 5000 after `begin`, and 7000 after `save`. */
const LIFETIMES: Readonly<
  Record<
    string,
    readonly [options: Record<string, unknown>, begin: (settings: Settings, session: Data) => unknown, saved: Lifetime]
  >
> = {
  'as it is configured': [{}, () => {}, { _expire: 8000, _maxAge: 1000 }],
  'as the handler has set it': [
    {},
    settings => {
      settings.maxAge = 50
    },
    { _expire: 7050, _maxAge: 50 },
  ],
  'until the browser closes': [{ maxAge: 'session' }, () => {}, { _session: true }],
  'with its beginning, where it must end': [
    { absoluteTimeout: 2500 },
    settings => settings.createdAt,
    { _expire: 7500, _maxAge: 1000, _meta: { created: 5000 } },
  ],
  'with its beginning, where it is sealed': [
    { seal: true, keys: KEYS },
    settings => settings.createdAt,
    { _expire: 8000, _maxAge: 1000, _meta: { created: 5000 } },
  ],
  'which begins when it is saved, unless somebody asked before': [
    { seal: true, keys: KEYS },
    () => {},
    { _expire: 8000, _maxAge: 1000, _meta: { created: 7000 } },
  ],
  'with the instant at which it was fresh': [
    {},
    settings => settings.regenerating(true, () => {}),
    { _expire: 8000, _maxAge: 1000, _meta: { created: 7000, fresh: 5000 } },
  ],
  'as that of the session that was found': [
    {},
    (settings, session) => found(settings, session, { _maxAge: 300, _meta: { created: 4000, fresh: 4500 } }),
    { _expire: 7300, _maxAge: 300, _meta: { created: 4000, fresh: 4500 } },
  ],
  'where the clock was ahead': [
    { absoluteTimeout: 2500 },
    settings => settings.resume({ _meta: { created: 9000 } }),
    { _expire: 8000, _maxAge: 1000, _meta: { created: 7000 } },
  ],
  'where nothing in what was found is good': [
    {},
    (settings, session) => found(settings, session, { _maxAge: -1, _meta: { fresh: Number.NaN } }),
    { _expire: 8000, _maxAge: 1000 },
  ],
  'where the session has gone on': [
    {},
    (settings, session) => {
      settings.resume({ _maxAge: 300, _meta: { created: 4000 } })
      settings.catchUp({ _maxAge: 400, _meta: { created: 1, fresh: 4600 } }, () => session)
    },
    { _expire: 7400, _maxAge: 400, _meta: { created: 4000, fresh: 4600 } },
  ],
  'where it has gone on without a lifetime': [
    {},
    (settings, session) => {
      settings.resume({ _maxAge: 300 })
      settings.catchUp({}, () => session)
    },
    { _expire: 7300, _maxAge: 300 },
  ],
  'where it has gone on, and the handler has set one': [
    {},
    (settings, session) => {
      settings.choose(50)
      settings.catchUp({ _maxAge: 400 }, () => session)
    },
    { _expire: 7050, _maxAge: 50 },
  ],
  'where it has gone on, and is fresher here': [
    {},
    (settings, session) => {
      settings.regenerating(true, () => {})
      settings.catchUp({ _meta: { fresh: 4000 } }, () => session)
    },
    { _expire: 8000, _maxAge: 1000, _meta: { created: 7000, fresh: 5000 } },
  ],
  'of another session': [
    {},
    (settings, session) => {
      found(settings, session, { _maxAge: 300, _meta: { created: 4000, fresh: 4500 } })
      settings.forget()
    },
    { _expire: 8000, _maxAge: 1000 },
  ],
  'of another session, with a beginning of its own': [
    { absoluteTimeout: 10_000 },
    settings => {
      settings.resume({ _maxAge: 300, _meta: { created: 4000 } })
      settings.forget()
    },
    { _expire: 8000, _maxAge: 1000, _meta: { created: 7000 } },
  ],
}

for (const [what, [options, begin, saved]] of Object.entries(LIFETIMES)) {
  test(`a session is saved with a lifetime: ${what}`, () => {
    const { clock, session, settings } = open(options)
    begin(settings, session)
    clock.advance(2000)
    assert.deepEqual(settings.newLifetime(session), saved)
  })
}

test('a session is as old as when it was asked for first, and fresh for so long', () => {
  const { clock, session, settings } = open()
  const isFresh = (...within: readonly number[]) => within.map(time => settings.isFresh(time, session))
  assert.deepEqual([settings.createdAt, isFresh(1e9)], [5000, [false]])
  settings.regenerating(true, () => {})
  clock.advance(100)
  assert.deepEqual([settings.createdAt, isFresh(100, 99)], [5000, [true, false]])
  clock.advance(-200)
  assert.deepEqual(isFresh(100, 99), [true, false])
})

test('a lifetime that was set is saved once it is the one that was saved', () => {
  const { settings } = open()
  settings.isForced = true
  settings.saved({ _expire: 1, _maxAge: 999 })
  assert.equal(settings.isForced, true)
  settings.saved({ _expire: 1, _maxAge: 1000 })
  assert.equal(settings.isForced, false)
  settings.isForced = true
  settings.forget()
  assert.equal(settings.isForced, false)
})

test('what is no lifetime is refused, and 0 is one day', () => {
  const { settings } = open()
  assert.throws(() => Object.assign(settings, { maxAge: -1 }), { code: 'ERR_SESSION_OPTION' })
  Object.assign(settings, { maxAge: 0 })
  assert.equal(settings.maxAge, ONE_DAY)
})

test('the view has what the options are, and none of what is made of them', () => {
  const { settings } = open({ domain: 'example.org' })
  const { view } = settings
  assert.equal(settings.view, view)
  assert.deepEqual(
    [view.key, view.maxAge, view.domain, view.signed, 'codec' in view, 'sealing' in view, 'cookie' in view],
    ['koa.sess', 1000, 'example.org', true, false, false, false],
  )
})

/** What is done once the view was made; the lifetime then, and the one that the handler has chosen in the view. */
const VIEWED: Readonly<
  Record<string, readonly [work: (settings: Settings) => unknown, maxAge: unknown, chosen: unknown, shown?: unknown]>
> = {
  nothing: [() => {}, 1000, undefined],
  'it is written to': [({ view }) => Object.assign(view, { maxAge: 70 }), 70, 70],
  'the session is given a lifetime': [
    settings => {
      settings.maxAge = 70
    },
    70,
    undefined,
  ],
  'the session is given one, and it is written to': [
    settings => {
      settings.maxAge = 60
      settings.view.maxAge = 70
    },
    70,
    70,
  ],
  'a session is found': [settings => settings.resume({ _maxAge: 300 }), 300, undefined],
  'another session begins': [
    settings => {
      settings.maxAge = 60
      settings.forget()
    },
    1000,
    1000,
  ],
  'it is written to, and another session begins': [
    settings => {
      settings.maxAge = 60
      settings.view.maxAge = 70
      settings.forget()
    },
    70,
    70,
  ],
}

for (const [what, [work, maxAge, chosen]] of Object.entries(VIEWED)) {
  test(`the lifetime in the view: ${what}`, () => {
    const { settings } = open()
    assert.equal(settings.chosenMaxAge, undefined)
    assert.equal(settings.view.maxAge, 1000)
    work(settings)
    assert.deepEqual([settings.maxAge, settings.view.maxAge, settings.chosenMaxAge], [maxAge, maxAge, chosen])
  })
}

test('what is written to the view counts once it is read again', () => {
  const { settings } = open()
  const { config } = settings
  settings.refresh()
  assert.equal(settings.config, config)
  settings.view.key = 'other'
  assert.equal(settings.config.key, 'koa.sess')
  settings.refresh()
  assert.equal(settings.config.key, 'other')
  settings.view.key = 'not; good'
  assert.throws(() => settings.refresh(), { code: 'ERR_SESSION_OPTION' })
})
