/** What is remembered of cookies that were verified: found by the whole value, for what verified it, and not for ever. */
import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import test from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Memory, type Verifier } from '../../src/codec/memory.ts'
import { Ring, type Verified } from '../../src/codec/ring.ts'
import { newSecret } from '../support/secrets.ts'

const SECRET = newSecret()
const one: Verified = { body: 'a value', tag: 'its tag', text: 'the text' }
const numbered = (at: number): Verified => ({ ...one, body: `${one.body} ${at}` })

const memory = (limit = 10, ring = new Ring(4096, 64), hashOf?: (text: string) => number) =>
  new Memory(limit, ring, hashOf).for(SECRET)

test('a value is found once it was verified, and the same entry each time after that', () => {
  const known = memory()
  assert.equal(known.find(one.body, one.tag), undefined)
  known.add(one)
  const found = known.find(one.body, one.tag)
  const { body, tag, text, made } = found ?? {}
  assert.deepEqual({ body, tag, text }, one)
  assert.equal(made, undefined)
  for (let times = 0; times < 3; times++) assert.equal(known.find(one.body, one.tag), found)
})

const FORGED: Readonly<Record<string, readonly [body: string, tag: string]>> = {
  'another value with its tag': ['b value', one.tag],
  'its value with another tag': [one.body, 'its tog'],
  'a part of the value moved to the tag': ['a val', 'ueits tag'],
  'its value without a tag': [one.body, ''],
  'nothing with its tag': ['', one.tag],
}

for (const [what, [body, tag]] of Object.entries(FORGED)) {
  test(`${what} is not found, whether it was seen once or more often`, () => {
    for (const hashOf of [undefined, () => 5]) {
      const known = memory(10, undefined, hashOf)
      known.add(one)
      assert.equal(known.find(body, tag), undefined)
      assert.ok(known.find(one.body, one.tag))
      assert.equal(known.find(body, tag), undefined)
      assert.ok(known.find(one.body, one.tag), 'the good one is')
    }
  })
}

test('of values with the same hash the last one is found', () => {
  const known = memory(10, undefined, () => 5)
  for (const at of [1, 2]) known.add(numbered(at))
  for (const times of [1, 2]) {
    assert.equal(known.find(numbered(1).body, one.tag), undefined, String(times))
    assert.equal(known.find(numbered(2).body, one.tag)?.body, numbered(2).body)
  }
  known.add(numbered(1))
  assert.equal(known.find(numbered(1).body, one.tag)?.body, numbered(1).body)
})

const bytes = Buffer.from(SECRET)
const CHANGES: Readonly<Record<string, readonly [before: Verifier, after: Verifier, isKept: boolean]>> = {
  'the same text': [SECRET, `${SECRET}`, true],
  'another text': [SECRET, newSecret(), false],
  'equal bytes': [bytes, new Uint8Array(bytes), true],
  'other bytes': [bytes, Buffer.from(newSecret()), false],
  'the text of the same bytes': [bytes, SECRET, false],
  'another key object': [createSecretKey(bytes), createSecretKey(bytes), false],
}

for (const [what, [before, after, isKept]] of Object.entries(CHANGES)) {
  test(`${what} in place of the secret ${isKept ? 'keeps all' : 'empties it, and to have the first one back does not fill it'}`, () => {
    const known = memory().for(before)
    for (const at of [1, 2]) known.add(numbered(at))
    known.find(numbered(1).body, one.tag)
    const isThere = () => [1, 2].map(at => known.find(numbered(at).body, one.tag) !== undefined)
    known.for(after)
    assert.deepEqual(isThere(), [isKept, isKept])
    known.for(before)
    assert.deepEqual(isThere(), [isKept, isKept])
  })
}

test('bytes that are written over are another secret', () => {
  const secret = Buffer.from(SECRET)
  const known = memory().for(secret)
  known.add(one)
  assert.ok(known.for(secret).find(one.body, one.tag))
  secret.fill(1)
  assert.equal(known.for(secret).find(one.body, one.tag), undefined)
})

test('two that share a ring do not find what the other one has', () => {
  const ring = new Ring(4096, 64)
  const [mine, other] = [memory(10, ring), memory(10, ring)]
  mine.add(one)
  assert.equal(other.find(one.body, one.tag), undefined)
  assert.ok(mine.find(one.body, one.tag))
})

/** How many of `count` that were all seen twice are still there, in a ring that has room for few. */
function left(limit: number, count: number, body: (at: number) => string): number {
  const known = memory(limit, new Ring(2 ** 17, 64))
  const verified = Array.from({ length: count }, (_, at) => ({ ...one, body: body(at) }))
  for (const each of verified) {
    known.add(each)
    known.find(each.body, each.tag)
  }
  // What is left in the ring is none of it.
  for (let at = 0; at < 3000; at++) known.add({ body: `filler ${at}`, tag: 'x'.repeat(50), text: undefined })
  return verified.filter(({ body, tag }) => known.find(body, tag)).length
}

test('no more are kept than it may have, and half of them at least', () => {
  for (const limit of [1, 2, 3, 10, 100]) {
    const kept = left(limit, 500, at => `value ${at}`)
    assert.ok(kept <= limit && kept >= (limit >> 1) - 1, `${kept} of ${limit}`)
  }
})

test('of large values fewer are kept', () => {
  const kept = left(100, 300, at => `${'x'.repeat(7000)}${at}`)
  assert.ok(kept < 80 && kept > 10, String(kept))
})

test('what is used stays, however many others come once or twice', () => {
  const known = memory(10, new Ring(4096, 64))
  known.add(one)
  for (let at = 0; at < 200; at++) {
    assert.ok(known.find(one.body, one.tag), String(at))
    known.add(numbered(at))
    known.find(numbered(at).body, one.tag)
  }
})

test('what was made of a value takes the place of what it was made from', () => {
  const known = memory(100, new Ring(4096, 64))
  known.add(one)
  const former = known.find(one.body, one.tag)
  known.add(numbered(1), 'made', former)
  assert.equal(known.find(numbered(1).body, one.tag)?.made, 'made')
})

test('what a visitor had before is found for parallel requests, and not what they had before that', () => {
  const known = memory(100, new Ring(4096, 64))
  known.add(numbered(0))
  let former = known.find(numbered(0).body, one.tag)
  for (let at = 1; at < 10; at++) {
    known.add(numbered(at), 'made', former)
    const made = (of: number) => known.find(numbered(of).body, one.tag)?.made
    assert.deepEqual([made(at), made(at - 1)], ['made', at === 1 ? undefined : 'made'], String(at))
    // The first one is in the ring, too.
    if (at > 2) assert.equal(known.find(numbered(at - 2).body, one.tag), undefined, String(at))
    former = known.find(numbered(at).body, one.tag)
  }
})

test('what is made of what is known already changes nothing', () => {
  const known = memory()
  known.add(one)
  const former = known.find(one.body, one.tag)
  known.add(one, 'made', former)
  assert.equal(known.find(one.body, one.tag)?.made, undefined)
  known.add({ ...one, tag: 'a new tag' }, 'made', former)
  assert.equal(known.find(one.body, 'a new tag')?.made, 'made')
})

test('values that differ at any place that a hash looks at do not take the place of each other', () => {
  const known = memory(100)
  const long = 'x'.repeat(200)
  const bodies = [`a${long}`, `b${long}`, `${long}a`, `${long}b`, `${long}x`]
  for (const body of bodies) known.add({ ...one, body }, 'made')
  for (const body of bodies) assert.equal(known.find(body, one.tag)?.body, body)
})

test('where no ring is given, all memories share one', () => {
  const [known, other] = [new Memory(10).for(SECRET), new Memory(10).for(SECRET)]
  known.add(one)
  assert.equal(known.find(one.body, one.tag)?.body, one.body)
  assert.equal(other.find(one.body, one.tag), undefined)
})

/** How many values of a length push the first one out, where so many are allowed. */
const ROOM: ReadonlyArray<readonly [limit: number, length: number, most: number]> = [
  [10, 7, 9],
  [1000, 10_000, 405],
]

for (const [limit, length, most] of ROOM) {
  test(`of ${limit} values, the first of those with ${length} characters is there until ${most} have come`, () => {
    for (const count of [most, most + 1]) {
      const known = memory(limit)
      const bodyOf = (at: number) => String(at).padStart(length, 'x')
      for (let at = 1; at <= count; at++) known.add({ ...one, body: bodyOf(at) }, 'made')
      // The ring has no room for long ones, and never had those that were made here.
      assert.equal(known.find(bodyOf(1), one.tag) !== undefined, count === most, String(count))
    }
  })
}

test('10,000 values that come twice, and what is made of each, take what 1,000 may', () => {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  const known = memory(1000, new Ring(2 ** 20, 1024))
  const heap = () => {
    collect()
    return process.memoryUsage().heapUsed
  }
  const come = (from: number, to: number) => {
    for (let at = from; at < to; at++) {
      // A part of a longer text, as of a header: it is not to keep that.
      const body = `${'x'.repeat(100_000)}${at} ${'y'.repeat(200)}`.slice(100_000)
      known.add({ ...one, body })
      const found = known.find(body, one.tag)
      assert.ok(found)
      found.made = Array.from({ length: 100 }, (_, n) => ({ n, at }))
    }
  }
  const start = heap()
  come(0, 2000)
  const before = heap()
  come(2000, 12_000)
  const grown = heap() - before
  assert.ok(grown < 1e6, `${grown} bytes more`)
  assert.ok(before - start < 50e6, `${before - start} bytes`)
})
