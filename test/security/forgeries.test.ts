/*
 * Everything of a kind that can be done to the cookies of a session, presented to an application: its visitor is nobody,
 * and the answer is 200. The secrets and the clock are fixed, so that the numbers are, too: a loop that does nothing
 * proves nothing. What is done to the bytes inside a sealed value is in test/codec/forgery.test.ts.
 */

import assert from 'node:assert/strict'
import test, { type TestContext as Test } from 'node:test'
import { manualClock } from 'koa-session/testing'
import {
  appOf,
  ask,
  COOKIE_MODES,
  cookiesFrom,
  HOUR,
  headerOf,
  KEY,
  KEYED_MODES,
  type Pages,
  told,
} from '../support/story.ts'

const upTo = (length: number) => Array.from({ length }, (_, at) => at)

const PAGES: Pages = {
  '/bruno': ctx => {
    ctx.session.user = 'bob'
    return 'in'
  },
  '/large': ctx => {
    ctx.session.user = ctx.query.user
    ctx.session.more = 'x'.repeat(7000)
    return 'in'
  },
}

type Jar = ReadonlyMap<string, string>

function applicationOf(mode: string, options: object = {}) {
  const clock = manualClock()
  const modes = { ...COOKIE_MODES, ...KEYED_MODES }
  const made = appOf({ now: clock.now, maxAge: HOUR, ...modes[mode]?.(clock), ...options }, PAGES)
  const jarOf = async (path: string) => cookiesFrom((await ask(made.app, path, '')).lines)

  /** Makes sure that each of `forgeries` is nobody's, and gives their number. */
  async function refuse(t: Test, forgeries: Iterable<Jar>): Promise<number> {
    let count = 0
    for (const forgery of forgeries) {
      const { status, text } = await ask(made.app, '/', headerOf(forgery))
      if (status !== 200 || text !== 'nobody') assert.fail(`${status} ${text}: ${headerOf(forgery)}`)
      count++
    }
    await told()
    assert.deepEqual(made.errors, [])
    assert.ok(made.reasons().every(reason => reason === 'signature' || reason === 'undecodable'))
    t.diagnostic(`${count} refused`)
    return count
  }
  return { ...made, jarOf, refuse }
}

/** `jar` with another value in `name`. */
const altered = (jar: Jar, name: string, value: string): Jar => new Map([...jar, [name, value]])

function* flipsOf(jar: Jar): Generator<Jar> {
  for (const [name, value] of jar) {
    for (const bit of upTo(value.length * 8)) {
      const at = bit >> 3
      const flipped = String.fromCharCode(value.charCodeAt(at) ^ (1 << (bit & 7)))
      yield altered(jar, name, value.slice(0, at) + flipped + value.slice(at + 1))
    }
  }
}

function* truncationsOf(jar: Jar): Generator<Jar> {
  for (const [name, value] of jar) {
    for (const length of upTo(value.length)) {
      yield altered(jar, name, value.slice(0, length))
      yield altered(jar, name, value.slice(length + 1))
    }
  }
}

/** The beginning of each value of one visitor, and the end of another's. */
function* splicesOf(jar: Jar, other: Jar): Generator<Jar> {
  for (const [name, value] of jar) {
    const foreign = String(other.get(name))
    for (const at of upTo(value.length - 1)) {
      const spliced = value.slice(0, at + 1) + foreign.slice(at + 1)
      if (spliced !== value && spliced !== foreign) yield altered(jar, name, spliced)
    }
  }
}

for (const mode of Object.keys({ ...COOKIE_MODES, ...KEYED_MODES })) {
  const signed = mode === 'signed cookie' || mode === 'store'

  test(`${mode}: every flip of a bit, in the value and in its signature, is refused`, async t => {
    const { app, jarOf, refuse } = applicationOf(mode)
    const jar = await jarOf('/in')
    assert.equal((await ask(app, '/', headerOf(jar))).text, 'ada', 'genuine')
    const length = [...jar.values()].join('').length
    assert.equal(jar.size, signed ? 2 : 1)
    assert.equal(await refuse(t, flipsOf(jar)), length * 8)
    assert.ok(length > 60)
  })

  test(`${mode}: every truncation, at the end and at the beginning, is refused`, async t => {
    const { jarOf, refuse } = applicationOf(mode)
    const jar = await jarOf('/in')
    assert.equal(await refuse(t, truncationsOf(jar)), [...jar.values()].join('').length * 2)
  })

  test(`${mode}: every splice of two visitors’ cookies is refused`, async t => {
    const { app, jarOf, refuse } = applicationOf(mode)
    const [ada, bob] = [await jarOf('/in'), await jarOf('/bruno')]
    assert.equal((await ask(app, '/', headerOf(bob))).text, 'bob', 'genuine')
    assert.ok((await refuse(t, splicesOf(ada, bob))) > 30)
  })

  test(`${mode}: a value under another cookie’s name, with and without its signature, is refused`, async t => {
    const { jarOf } = applicationOf(mode)
    const jar = await jarOf('/in')
    const value = String(jar.get(KEY))
    const signature = String(jar.get(`${KEY}.sig`))
    let count = 0
    for (const key of ['koa.ses', 'koa.sess2', 'KOA.SESS', 'koa', 'koa.sess.1', 'session', 'a']) {
      const { refuse } = applicationOf(mode, { key })
      count += await refuse(t, [new Map([[key, value]]), new Map([...jar, [key, value], [`${key}.sig`, signature]])])
    }
    assert.equal(count, 14)
  })
}

for (const mode of ['signed cookie', 'store']) {
  test(`${mode}: the value of one visitor beside the signature of another is refused, both ways`, async t => {
    const { jarOf, refuse } = applicationOf(mode)
    const [ada, bob] = [await jarOf('/in'), await jarOf('/bruno')]
    const [value, signature] = [KEY, `${KEY}.sig`]
    const swaps = [altered(ada, value, String(bob.get(value))), altered(ada, signature, String(bob.get(signature)))]
    const alone = [new Map([...ada].slice(0, 1)), altered(ada, signature, '')]
    // The signature of an empty value is public: the response to a sign-out carries it.
    const cleared = cookiesFrom((await ask(applicationOf(mode).app, '/out', headerOf(ada))).lines)
    assert.equal(cleared.size, 2)
    assert.equal(await refuse(t, [...swaps, ...alone, cleared, altered(ada, value, '')]), 6)
  })
}

test('sealed cookie: every mixture of the chunks of two visitors is refused, and every wrong number of them', async t => {
  const { app, jarOf, refuse } = applicationOf('sealed cookie', { chunks: 3 })
  const [ada, bob] = [await jarOf('/large?user=ada'), await jarOf('/large?user=bob')]
  const [mine, theirs] = [[...ada], [...bob]]
  assert.deepEqual([mine.length, theirs.length], [3, 3])
  assert.equal((await ask(app, '/', headerOf(ada))).text, 'ada', 'genuine')
  const mixtures = upTo(8).map(mask => new Map(mine.map((pair, at) => (mask & (1 << at) ? theirs[at] : pair) ?? pair)))
  const some = upTo(7).map(mask => new Map(mine.filter((_, at) => mask & (1 << at))))
  const orders = [
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
    [0, 0, 0],
    [0, 1, 1],
  ].map(order => new Map(mine.map(([name], at) => [name, mine[order[at] ?? 0]?.[1] ?? ''])))
  const [, first = ''] = mine[0] ?? []
  const counts = '01245678 '.split('').map(digit => altered(ada, KEY, digit + first.slice(1)))
  assert.equal(await refuse(t, [...mixtures.slice(1, -1), ...some, ...orders, ...counts]), 6 + 7 + 7 + 9)
})

test('sealed cookie: every truncation of the last chunk, and every thousandth flip of a bit in each, is refused', async t => {
  const { jarOf, refuse } = applicationOf('sealed cookie', { chunks: 3 })
  const jar = await jarOf('/large?user=ada')
  const flips = [...flipsOf(jar)].filter((_, at) => at % 1000 === 0)
  const last = String(jar.get(`${KEY}.2`))
  const truncations = upTo(last.length).map(length => altered(jar, `${KEY}.2`, last.slice(0, length)))
  assert.equal(await refuse(t, [...flips, ...truncations]), flips.length + last.length)
  assert.ok(flips.length > 70 && last.length > 1000)
})
