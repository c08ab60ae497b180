/*
 * Two applications that differ in the option `remember` alone are sent the same requests at random, by visitors who present
 * old cookies again, come in parallel, and whose secrets rotate: pages, errors, events and cookies are the same.
 */

import assert from 'node:assert/strict'
import test, { type TestContext as Test } from 'node:test'
import type { CreateSessionOptions } from 'koa-session'
import { manualClock } from 'koa-session/testing'
import { join } from '../../src/codec/chunks.ts'
import { createKeyrings } from '../../src/codec/keyring.ts'
import { open, sealContext } from '../../src/codec/sealed.ts'
import type { TestContext } from '../support/koa.ts'
import { newSecret } from '../support/secrets.ts'
import { type Asked, appOf, ask, cookiesFrom, HOUR, headerOf, KEY, told } from '../support/story.ts'

type Data = Record<string, unknown>
type Random = (below: number) => number
type Step = (ctx: TestContext) => unknown

/** Mulberry32: the same numbers each time. */
function randomFrom(seed: number): Random {
  let state = seed
  return below => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

const pick = <T>(list: readonly T[], random: Random): T => list[random(list.length)] as T

const NAMES = ['a', 'b', '1', '0', 'ä', 'user', 'handle', 'constructor']
/** Makers: each application has values of its own. */
const VALUES: readonly (() => unknown)[] = [
  () => 0,
  () => -0,
  () => 1.5,
  () => Number.NaN,
  () => null,
  () => undefined,
  () => 'é\u{1f36a}',
  () => '\ud800',
  () => 'a text that is longer',
  () => [],
  () => ({}),
  () => [1, [2, { x: 'y' }], null],
  () => ({ b: 1, a: { c: [] }, 1: 2 }),
  () => Object.assign([1, 2], { more: 3 }),
  () => Array(3).fill(1, 1),
  () => new Date(5),
  () => ({ toJSON: (name: string) => ({ name }) }),
  () => JSON.parse('{"__proto__":{"x":1}}'),
  () => Object.defineProperty({}, 'x', { get: () => 1, enumerable: true }),
  () => new Map(),
  () => 1n,
  () => ({ f: () => 1, b: 1 }),
  () => 'x'.repeat(2500),
  () => Array.from({ length: 150 }, () => [1]),
]

/** One of the objects and lists that are nested deepest in `data`. */
const nested = (data: Data, random: Random): Data => {
  const inner = Object.values(data).filter(value => typeof value === 'object' && value !== null)
  return inner.length === 0 ? data : nested(pick(inner, random) as Data, random)
}

const changeWithin = (random: Random, seed: number): Step => {
  const [name, value] = [pick(NAMES, random), pick(VALUES, random)]
  return ctx => {
    const target = nested(ctx.session, randomFrom(seed))
    if (Array.isArray(target)) target.push(value())
    else target[name] = value()
  }
}

/** What one request does. Chance is drawn before, so that both do the same; `seed` is for what depends on the data. */
const STEPS: readonly ((random: Random, seed: number) => Step)[] = [
  () => () => {},
  random => {
    const [name, value] = [pick(NAMES, random), pick(VALUES, random)]
    return ctx => {
      ctx.session[name] = value()
    }
  },
  random => {
    const name = pick(NAMES, random)
    return ctx => Reflect.deleteProperty(ctx.session, name)
  },
  random => {
    const name = pick(NAMES, random)
    return ctx => {
      const { [name]: value } = ctx.session
      if (Reflect.deleteProperty(ctx.session, name) && value !== undefined) ctx.session[name] = value
    }
  },
  changeWithin,
  changeWithin,
  changeWithin,
  (_, seed) => ctx => {
    const target = nested(ctx.session, randomFrom(seed))
    if (Array.isArray(target)) target.pop()
    else for (const name of Object.keys(target).slice(0, 1)) Reflect.deleteProperty(target, name)
  },
  random => {
    const value = pick(VALUES, random)
    return ctx => {
      ctx.session = { a: value(), user: 'eve', b: [[1], { list: [] }] }
    }
  },
  () => ctx => {
    ctx.session = null
  },
  () => ctx => ctx.session.regenerate({ fresh: true }),
  () => ctx => ctx.session.regenerate({ keep: ['a', 'user'] }),
  random => {
    const hours = pick([1, 2, 3], random)
    return ctx => {
      ctx.session.maxAge = hours * HOUR
    }
  },
  () => ctx => ctx.session.save(),
  () => ctx => ctx.sessionOptions.maxAge,
  () => ctx => {
    ctx.sessionOptions.maxAge = 2 * HOUR
  },
  () => ctx => {
    Object.defineProperty(ctx.session, 'length', { value: 1, enumerable: true, configurable: true })
  },
  () => () => new Promise(resolve => setImmediate(resolve)),
  () => ctx => `${ctx.session.isFresh(HOUR)} ${ctx.session.createdAt} ${ctx.session.isNew} ${ctx.session.maxAge}`,
  () => ctx => `${ctx.cookies.get('other')}`,
]

const START = 1_700_000_000_000
const OPTIONS: Readonly<Record<string, CreateSessionOptions>> = {
  'as it is': {},
  'extended with every response, from an instant': { rolling: true, notBefore: new Date(START + HOUR) },
  'renewed, with an absolute end': { renew: true, absoluteTimeout: 5 * HOUR },
  'of subjects, until the browser closes': {
    maxAge: 'session',
    subject: session => Reflect.get(session, 'user'),
    notBefore: START + HOUR,
  },
}
const MODES: Readonly<Record<string, CreateSessionOptions>> = {
  'signed cookies': {},
  'sealed cookies': { seal: true },
  'several sealed cookies': { seal: { acceptSigned: true }, chunks: 3 },
}

/** An application, and the cookies that it has sent. */
function twinOf(
  options: CreateSessionOptions,
  secrets: readonly Buffer[],
  steps: ReadonlyMap<string, readonly Step[]>,
) {
  const page = async (ctx: TestContext) => {
    const said: unknown[] = []
    for (const step of steps.get(ctx.path) ?? []) said.push(await step(ctx))
    return JSON.stringify([ctx.session, said])
  }
  const keys = secrets.map(secret => Buffer.from(secret))
  return { ...appOf(options, { '*': page }, keys), keys, sent: [''] }
}

/** The newest secret is changed in place, by another one, or by one of the older ones. */
function rotate(keys: Buffer[], kind: number, fresh: Buffer): void {
  if (kind === 0) keys.reverse()
  else if (kind === 1) keys.unshift(Buffer.from(fresh))
  else if (kind === 2 && keys.length > 2) keys.shift()
  else keys[0]?.set(fresh)
}

/** What is asked next: which of the cookies that were sent is presented, and which of its last characters is another one. */
function drawn(random: Random, sent: number, path: string) {
  const isOld = random(10) === 0
  const cookie = Math.max(0, sent - 1 - random(isOld ? sent : 3))
  // The last character of a sealed value may have no other that is base64url.
  return { path, cookie, broken: random(40) === 0 ? 2 + random(20) : 0 }
}

function changedAt(header: string, fromEnd: number): string {
  const at = header.length - fromEnd
  if (fromEnd === 0 || at < 0) return header
  return header.slice(0, at) + (header[at] === 'A' ? 'B' : 'A') + header.slice(at + 1)
}

async function tellTwins(t: Test, options: CreateSessionOptions, seed: number, requests: number) {
  const random = randomFrom(seed)
  const clock = manualClock(START)
  // The clock of the attribute `expires`.
  t.mock.method(Date, 'now', clock.now)
  const newKey = () => Buffer.from(newSecret())
  const secrets = [newKey(), newKey(), newKey()]
  const steps = new Map<string, readonly Step[]>()
  const twins = [1000, 0].map(remember =>
    twinOf({ now: clock.now, maxAge: HOUR, remember, ...options }, secrets, steps),
  )
  const textIn = (jar: ReadonlyMap<string, string>) => {
    const value = join(jar.get(KEY) ?? '', piece => jar.get(`${KEY}.${piece}`), 3) ?? ''
    const opened = open(value, createKeyrings()(secrets), sealContext('session', KEY))
    return opened.fault ?? opened.text
  }
  // A sealed value is another one each time; what is in it is not.
  const seen = ({ status, text, lines }: Asked) =>
    options.seal
      ? { status, text, cookie: textIn(cookiesFrom(lines)), lines: lines.map(line => line.replace(/=[^;]*/, '')) }
      : { status, text, lines }
  for (let count = 0; count < requests; count++) {
    clock.advance(random(20) === 0 ? HOUR : random(100_000))
    if (random(60) === 0) {
      const [kind, fresh] = [random(4), newKey()]
      secrets.push(fresh)
      for (const { keys } of twins) rotate(keys, kind, fresh)
    }
    const atOnce = random(4) === 0 ? 1 + random(4) : 1
    const asked = Array.from({ length: atOnce }, (_, at) => {
      const path = `/${count}/${at}`
      steps.set(
        path,
        Array.from({ length: random(4) }, () => pick(STEPS, random)(random, random(2 ** 30))),
      )
      return drawn(random, twins[0]?.sent.length ?? 0, path)
    })
    const answers = await Promise.all(
      twins.map(({ app, sent }) =>
        Promise.all(asked.map(one => ask(app, one.path, changedAt(sent[one.cookie] ?? '', one.broken)))),
      ),
    )
    for (const [at, { path }] of asked.entries()) {
      const [own, other] = answers.map(list => seen(list[at] as Asked))
      assert.deepEqual(own, other, path)
      for (const [which, { sent }] of twins.entries()) {
        const jar = cookiesFrom(answers[which]?.[at]?.lines ?? [])
        if (jar.get(KEY)) sent.push(headerOf(jar))
      }
    }
    steps.clear()
  }
  await told()
  const [own, other] = twins.map(({ codes, events }) => ({
    codes: codes(),
    events: events.map(([name, { reason, value }]) => JSON.stringify([name, reason, value])),
  }))
  assert.deepEqual(own, other)
  return { sent: twins[0]?.sent.length ?? 0, errors: own?.codes.length ?? 0, events: own?.events.length ?? 0 }
}

for (const [mode, more] of Object.entries(MODES)) {
  for (const [what, options] of Object.entries(OPTIONS)) {
    test(`${mode}, ${what}: from outside nobody can tell whether they are remembered`, async t => {
      const seen = await tellTwins(t, { ...options, ...more }, 15, 100)
      assert.ok(seen.sent > 20 && seen.errors > 0 && seen.events > 5, JSON.stringify(seen))
    })
  }
}
