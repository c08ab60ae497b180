/** What a session is copied from, and compared with: the same as its text tells, whatever was done to it. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { decodeText, encodeText } from '../../src/codec/json.ts'
import { Memory } from '../../src/codec/memory.ts'
import { Ring } from '../../src/codec/ring.ts'
import { textOf } from '../../src/session/changes.ts'
import { pack } from '../../src/session/payload.ts'
import { dataOf, draftOf, Session, type SessionHost } from '../../src/session/session.ts'
import { Kept } from '../../src/session/template.ts'
import fc from '../support/properties.ts'

type Data = Record<string, unknown>

const LIFETIME = { _expire: 1_700_000_000_000, _maxAge: 1000 }
const keptOf = (data: Data) => Kept.of(JSON.stringify(pack(data, LIFETIME)))
const sessionOf = (kept: Kept | undefined) => {
  const session = draftOf(new Session({} as SessionHost, false), {}) as Session & Data
  kept?.template.fill(session)
  return session
}

const LEFT: Readonly<Record<string, string>> = {
  "a name of an object's prototype at the top": '{"__proto__":1,"_expire":1,"_maxAge":1}',
  'such a name further in': '{"a":[{"__proto__":{"b":1}}],"_expire":1,"_maxAge":1}',
  'the name of a method': '{"save":1,"_expire":1,"_maxAge":1}',
  'a lifetime in front': '{"_expire":1,"_maxAge":1,"a":1}',
  'a flag of 7.x': '{"a":1,"_expire":1,"_maxAge":1,"_requireSave":true}',
  'no lifetime': '{"a":1}',
  'a blank': '{"a": 1,"_expire":1,"_maxAge":1}',
  'a key twice': '{"a":1,"a":1,"_expire":1,"_maxAge":1}',
  'keys that come in another order': '{"b":1,"1":1,"_expire":1,"_maxAge":1}',
  'a number that is written otherwise': '{"a":1.0,"_expire":1,"_maxAge":1}',
  'a zero below zero': '{"a":-0,"_expire":1,"_maxAge":1}',
  'an escape that is not needed': '{"a":"\\u0061","_expire":1,"_maxAge":1}',
  'more levels than it follows': `{"a":${'['.repeat(200)}${']'.repeat(200)},"_expire":1,"_maxAge":1}`,
  'more objects and lists than it follows': `{"a":[${Array(100).fill('{}')}],"b":[${Array(100).fill('[]')}],"_expire":1,"_maxAge":1}`,
  'a list': '[1]',
  'no object': '1',
  'no JSON': '{"a":',
}

for (const [what, text] of Object.entries(LEFT)) {
  test(`${what} is left to be parsed each time`, () => {
    assert.equal(Kept.of(text), undefined)
  })
}

test('a text that is our own is read with its lifetime, whatever that is', () => {
  for (const lifetime of [
    LIFETIME,
    { _session: true },
    { ...LIFETIME, _meta: { created: 5 } },
    { _session: true, _meta: { created: 5, fresh: 6 } },
  ]) {
    for (const data of [{}, { a: 1 }, { a: { b: [1, { c: null }] }, 'ä"': 'é\u{1f36a}' }]) {
      const kept = Kept.of(JSON.stringify({ ...data, ...lifetime }))
      assert.equal(kept?.template.text, JSON.stringify(data))
      assert.deepEqual(JSON.parse(JSON.stringify(kept?.lifetime)), lifetime)
    }
  }
})

test('so many objects and lists are copied, and one more is left', () => {
  const of = (count: number) => ({ a: Array.from({ length: count / 2 }, () => [{}]), b: {} })
  const { template } = keptOf(of(198)) ?? {}
  assert.ok(template)
  const session = sessionOf(new Kept(template, LIFETIME))
  session.b = { c: {} }
  const next = template.after(session)
  assert.equal(next?.text, JSON.stringify({ ...of(198), b: { c: {} } }))
  assert.equal(next?.parsed(), undefined)
})

test('whatever data are nested in them, 100 remembered cookies take what they may', () => {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  const heap = () => {
    collect()
    return process.memoryUsage().heapUsed
  }
  const tag = 'x'.repeat(27)
  for (const item of ['[]', '{}', '{"a":1}', '1', '"é"', '[[1]]']) {
    const memory = new Memory(100, new Ring(2 ** 20, 1024)).for('a secret that signs')
    const before = heap()
    for (let at = 0; at < 300; at++) {
      const list = Array(Math.floor(2900 / (item.length + 1))).fill(item)
      const body = encodeText(`{"a":[${list}],"_expire":${1_700_000_000_000 + at * 977},"_maxAge":1000}`)
      memory.add({ body, tag, text: undefined })
      const found = memory.find(body, tag)
      assert.ok(found)
      found.made = Kept.of(decodeText(body)) ?? 'nothing'
    }
    const bytes = heap() - before
    assert.ok(bytes < 100 * 65_536, `${bytes} bytes with ${item}`)
    assert.equal(memory.find('', tag), undefined)
  }
})

test('data under a name of no data, which a definition brings there, are left to be parsed each time', () => {
  for (const name of ['save', 'length', '_expire', '_meta', '__proto__']) {
    const session = sessionOf(keptOf({ a: 1 }))
    Object.defineProperty(session, name, { value: 1, enumerable: true })
    assert.equal(keptOf({ a: 1 })?.template.after(session), undefined, name)
  }
})

test('what the next request is given of a value that was changed is what JSON gives', () => {
  const values = [
    0,
    -0,
    1,
    -1.5,
    1e300,
    5e-324,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    true,
    null,
    'a',
    'x'.repeat(20),
    [],
  ]
  for (const value of values) {
    const kept = keptOf({ n: 'before' })
    const session = sessionOf(kept)
    session.n = value
    const filled: Data = {}
    kept?.template.after(session)?.parsed()?.fill(filled)
    assert.deepStrictEqual(filled, JSON.parse(JSON.stringify({ n: value })))
  }
})

test('whether a session has just these values is told in any order, where nothing is nested', () => {
  const rows: ReadonlyArray<readonly [known: Data, has: Data, is: boolean]> = [
    [{ a: 1, b: 'x' }, { a: 1, b: 'x' }, true],
    [{ a: 1, b: 'x' }, { b: 'x', a: 1 }, true],
    [{ a: 1, b: 'x' }, { a: 1, b: 'y' }, false],
    [{ a: 1, b: 'x' }, { a: 1 }, false],
    [{ a: 1 }, { a: 1, b: 'x' }, false],
    [{ a: 1, b: 'x' }, { a: 1, c: 'x' }, false],
    [{ a: [1] }, { a: [1] }, false],
    [{}, {}, true],
    [{}, { a: 1 }, false],
  ]
  for (const [known, has, is] of rows) {
    assert.equal(keptOf(known)?.template.isFlatlySame(has), is, `${JSON.stringify(known)} and ${JSON.stringify(has)}`)
  }
})

test('what has not changed is known without its text, and what has is printed alone', () => {
  const data = { n: 1, user: { id: 5, roles: ['a', ['b', null], {}] }, long: 'x'.repeat(20), empty: [], is: true }
  const kept = keptOf(data)
  const { stringify } = JSON
  const printed: unknown[] = []
  const after = (change: (session: Data) => void) => {
    const session = sessionOf(kept)
    change(session)
    printed.length = 0
    JSON.stringify = ((value: unknown) => {
      printed.push(value)
      return stringify(value)
    }) as typeof stringify
    try {
      return kept?.template.after(session as Session & Data)
    } finally {
      JSON.stringify = stringify
    }
  }
  assert.equal(
    after(() => {}),
    kept?.template,
  )
  assert.deepEqual(printed, [])
  for (const [name, value] of [
    ['n', 2],
    ['is', false],
    ['long', 'x'.repeat(21)],
    ['empty', [1]],
    ['user', { id: 5, roles: ['a', ['b', null], { c: 1 }] }],
    ['user', { id: 5, roles: ['a', ['b', null]] }],
    ['user', { id: 5, roles: ['a', ['b', undefined], {}] }],
    ['user', { roles: ['a', ['b', null], {}], id: 5 }],
    ['user', null],
  ] as const) {
    const next = after(session => Object.assign(session, { [name]: value }))
    assert.deepEqual(printed, [{ [name]: value }])
    assert.equal(next?.text, stringify({ ...data, [name]: value }))
  }
  after(({ user }) => Object.assign(user as Data, { id: 6 }))
  assert.deepEqual(printed, [{ user: { ...data.user, id: 6 } }])
  assert.equal(after(session => Reflect.deleteProperty(session, 'n'))?.text, stringify({ ...data, n: undefined }))
  assert.deepEqual(printed, [])
})

/** What can be done to a session; each gives what it leaves undone where it does not apply. */
const name = fc.constantFrom('a', 'b', 'c', '1', '0', 'ä', 'length2', 'a long name of a key')
const leaf = fc.oneof(
  fc.constantFrom(0, -0, 1, -1.5, 1e300, true, false, null, '', 'a', 'é\u{1f36a}', 'x'.repeat(20), '"\\'),
  fc.string({ unit: 'binary' }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
)
const json = fc.letrec(tie => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(name, tie('value'), { maxKeys: 4 }),
  ),
})).value
const data = fc.dictionary(name, json, { maxKeys: 6 }) as fc.Arbitrary<Data>

class Own {
  b = 1
}

/** What JSON prints otherwise than it is, or does not print. */
const odd = fc.constantFrom<() => unknown>(
  () => undefined,
  () => Number.NaN,
  () => new Date(0),
  () => new Own(),
  () => ({ toJSON: () => ({ a: 1 }) }),
  () => Object.assign([1], { toJSON: () => 5 }),
  () => Object.defineProperty({ a: 1 }, 'toJSON', { value: () => 1 }),
  () => Object.defineProperty({}, 'a', { get: () => 1, enumerable: true }),
  () => Object.defineProperty({ a: 1 }, 'b', { value: 1 }),
  () => Object.create({ a: 1 }),
  () => Object.assign(Object.create(null), { a: 1 }),
  () => JSON.parse('{"__proto__":{"a":1}}'),
  () => ({ [Symbol('a')]: 1 }),
  () => Object.assign([1], { more: 1 }),
  () => Array(3).fill(1, 1),
  () => 1n,
  () => new Map([[1, 1]]),
  () => [Promise.resolve()],
  () => new Proxy({ a: 1 }, {}),
  () => new String('a'),
  () => ({ a: () => {}, b: 1 }),
)
const change = fc.record({
  path: fc.array(fc.nat(5), { maxLength: 3 }),
  kind: fc.constantFrom('set', 'odd', 'delete', 'again', 'push', 'add', 'copy', 'same'),
  name,
  value: json,
  odd,
})

function apply(
  session: Data,
  { path, kind, name, value, odd }: typeof change extends fc.Arbitrary<infer C> ? C : never,
) {
  let target = session
  for (const at of path) {
    const nested = Object.keys(target)
      .map(name => target[name])
      .filter(value => typeof value === 'object' && value !== null)
    const next = nested[at % Math.max(nested.length, 1)]
    if (next === undefined) break
    target = next as Data
  }
  const key = Object.keys(target)[path.length] ?? name
  const own = structuredCloneOr(value)
  if (kind === 'set') Reflect.set(target, key, own)
  else if (kind === 'odd') Reflect.set(target, key, odd())
  else if (kind === 'delete') Reflect.deleteProperty(target, key)
  else if (kind === 'again') {
    const kept = target[key]
    if (Reflect.deleteProperty(target, key)) target[key] = kept
  } else if (kind === 'push' && Array.isArray(target)) target.push(own)
  else if (kind === 'add') Reflect.set(target, name, own)
  else if (kind === 'copy') Reflect.set(target, key, structuredCloneOr(target[key]))
}

/** A value of its own, as far as it is plain. */
function structuredCloneOr(value: unknown): unknown {
  try {
    return structuredClone(value)
  } catch {
    return value
  }
}

function textOrError(session: Session): unknown {
  try {
    return textOf(dataOf(session))
  } catch (error) {
    return (error as { code?: unknown }).code ?? error
  }
}

test('a session that is copied is what JSON.parse makes, and shares nothing with the next one', () => {
  const property = (given: Data) => {
    const text = JSON.stringify(given)
    const kept = keptOf(JSON.parse(text))
    if (!kept) return
    for (let times = 0; times < 2; times++) {
      const session = sessionOf(kept)
      assert.deepStrictEqual({ ...session }, JSON.parse(text))
      assert.equal(JSON.stringify(dataOf(session)), text)
      for (const [name, value] of Object.entries(session)) {
        if (typeof value !== 'object' || value === null) continue
        if (Array.isArray(value)) value.push('mine')
        else Object.assign(value, { [name]: 'mine', mine: [] })
      }
    }
  }
  fc.assert(fc.property(data, property), { numRuns: 500 })
})

test('whatever is done to a session, its text is the one that JSON makes, and nothing is the same that has another', () => {
  const counts = { same: 0, changed: 0, left: 0 }
  const property = (given: Data, rounds: (typeof change extends fc.Arbitrary<infer C> ? C : never)[][]) => {
    let template = keptOf(JSON.parse(JSON.stringify(given)))?.template
    for (const changes of rounds) {
      if (!template) return
      const session = sessionOf(new Kept(template, LIFETIME))
      for (const one of changes) apply(session, one)
      const expected = textOrError(session)
      const next = template.after(session)
      if (!next) {
        assert.equal(expected, 'ERR_SESSION_DATA')
        counts.left++
        return
      }
      assert.equal(next.text, expected)
      assert.equal(next === template, expected === template.text)
      counts[next === template ? 'same' : 'changed']++
      // Once more within the same request, before it is parsed.
      assert.equal(next.after(session)?.text, expected)
      template = next.parsed()
      if (template) assert.equal(template, next.after(sessionOf(new Kept(next, LIFETIME))))
    }
  }
  const rounds = fc.array(fc.array(change, { maxLength: 3 }), { minLength: 1, maxLength: 4 })
  fc.assert(fc.property(data, rounds, property), { numRuns: 2000 })
  assert.ok(counts.same > 500 && counts.changed > 500 && counts.left > 10, JSON.stringify(counts))
})
