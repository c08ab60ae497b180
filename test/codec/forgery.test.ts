import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { join, split } from '../../src/codec/chunks.ts'
import { createKeyrings } from '../../src/codec/keyring.ts'
import { open, seal, sealContext } from '../../src/codec/sealed.ts'

/*
 * Everything of a kind that can be done to a sealed session, each refused. The nonces are fixed, so that the numbers
 * are, too: a loop that does nothing proves nothing.
 */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const keyring = createKeyrings()(['the newest secret of them all', 'an older one, still in use'])
const context = sealContext('session', 'koa.sess')

function sealedFor(user: string, byte: number, bound = context): string {
  const session = { user, roles: ['editor'], csrf: 'q3vLaXeFi6oRyE', _expire: 1700000000000, _maxAge: 86400000 }
  return seal(JSON.stringify(session), keyring, bound, size => Buffer.alloc(size, byte))
}

/** Two sessions of the same length, without bits left over at the end: what refuses them is the tag wherever it can be. */
const [value, other] = [sealedFor('adele', 1), sealedFor('bruno', 2)]
const bytes = Buffer.from(value, 'base64url')

/** Tells how many there were, and how they were refused, after having made sure that each of them was. */
function assertRefused(t: TestContext, forgeries: Iterable<string | undefined>, expected: Record<string, number>) {
  const counts: Record<string, number> = {}
  for (const forgery of forgeries) {
    const fault = forgery === undefined ? 'not joined' : (open(forgery, keyring, context).fault ?? 'opened')
    counts[fault] = (counts[fault] ?? 0) + 1
  }
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
  t.diagnostic(`${total} refused: ${JSON.stringify(counts)}`)
  assert.deepEqual(counts, expected)
}

const without = (forgeries: string[], ...genuine: string[]) => forgeries.filter(each => !genuine.includes(each))
const upTo = (length: number) => Array.from({ length }, (_, at) => at)
const withByte = (at: number, byte: number) => {
  const forged = Buffer.from(bytes)
  forged[at] = byte
  return forged.toString('base64url')
}

test('the two sessions that are forged here are genuine, of 180 characters and 135 bytes', () => {
  assert.deepEqual([value.length, other.length, bytes.length], [180, 180, 135])
  for (const genuine of [value, other]) assert.equal(open(genuine, keyring, context).fault, undefined)
})

test('every flip of a bit is refused', t => {
  const forgeries = upTo(bytes.length * 8).map(bit => withByte(bit >> 3, (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))))
  assertRefused(t, forgeries, { undecodable: 8, signature: 1072 })
})

test('every other byte in every place is refused', t => {
  const forgeries = upTo(bytes.length * 256).map(n => withByte(n >> 8, n & 255))
  assertRefused(t, without(forgeries, value), { undecodable: 255, signature: 34_170 })
})

test('every other character in every place is refused', t => {
  const forgeries = upTo(value.length).flatMap(at =>
    [...ALPHABET].map(character => value.slice(0, at) + character + value.slice(at + 1)),
  )
  assertRefused(t, without(forgeries, value), { undecodable: 111, signature: 11_229 })
})

test('every truncation of the text, at its end and at its beginning, is refused', t => {
  const forgeries = upTo(value.length).flatMap(at => [value.slice(0, at), value.slice(at + 1)])
  assertRefused(t, forgeries, { undecodable: 314, signature: 46 })
})

test('every truncation and extension of the bytes is refused', t => {
  const shorter = upTo(bytes.length).map(length => bytes.subarray(0, length))
  const longer = upTo(64).map(length => Buffer.concat([bytes, Buffer.alloc(length + 1)]))
  const forgeries = [...shorter, ...longer].map(each => each.toString('base64url'))
  assertRefused(t, forgeries, { undecodable: 33, signature: 166 })
})

test('every character and every part left out or doubled is refused', t => {
  const forgeries = upTo(value.length).flatMap(from =>
    [1, 2, 3, 4, 16].flatMap(length => {
      const part = value.slice(from, from + length)
      const [before, after] = [value.slice(0, from), value.slice(from + length)]
      return part.length === length ? [before + after, before + part + part + after] : []
    }),
  )
  assertRefused(t, without(forgeries, value), { undecodable: 1076, signature: 682 })
})

test('every splice of the beginning of one session and the end of another is refused', t => {
  const places = upTo(value.length + 1)
  const forgeries = places.flatMap(begin => places.map(end => value.slice(0, begin) + other.slice(end)))
  assertRefused(t, without(forgeries, value, other), { undecodable: 24_856, signature: 7896 })
})

test('every field of one session in another is refused', t => {
  const foreign = Buffer.from(other, 'base64url')
  const fields = [
    [5, 17],
    [17, bytes.length - 16],
    [bytes.length - 16, bytes.length],
  ] as const
  const forgeries = upTo(2 ** fields.length).map(mask => {
    const forged = Buffer.from(bytes)
    for (const [at, [from, to]] of fields.entries()) if (mask & (1 << at)) foreign.copy(forged, from, from, to)
    return forged.toString('base64url')
  })
  assertRefused(t, without(forgeries, value, other), { signature: 6 })
})

test('the hint of another secret is refused', t => {
  const hints = keyring.slice(1).map(({ hint }) => {
    const forged = Buffer.from(bytes)
    forged.writeUInt32BE(hint, 1)
    return forged.toString('base64url')
  })
  assertRefused(t, hints, { signature: 1 })
})

test('a value is refused for every other purpose and under every other name', t => {
  const purposes = ['session', 'id', 'csrf', '', 'session","koa.sess', 'SESSION', 'sess', 'session\0']
  const names = ['koa.sess', 'koa.sess2', 'koa.ses', 'KOA.SESS', '__Host-koa.sess', 'ion","koa.sess', '', 'koa.sess"]']
  const pairs = purposes.flatMap(purpose => names.map(name => [purpose, name] as const))
  pairs.push(['a', 'bc'], ['ab', 'c'], ['a","b', 'c'], ['a', 'b","c'], ['a\\', '"'], ['a', '\\"'])
  let opened = 0
  let refused = 0
  for (const [purpose, name] of pairs) {
    const moved = sealedFor('adele', 3, sealContext(purpose, name))
    for (const [otherPurpose, otherName] of pairs) {
      const { fault } = open(moved, keyring, sealContext(otherPurpose, otherName))
      if (purpose === otherPurpose && name === otherName) assert.equal(fault, undefined)
      else assert.equal(fault, 'signature')
      if (fault) refused++
      else opened++
    }
  }
  t.diagnostic(`${refused} refused, ${opened} opened under their own name`)
  assert.deepEqual([opened, refused], [70, 4830])
})

const LIMITS = { limit: 26, max: 9 }
const piecesOf = (text: string) => split(text, LIMITS) ?? []
const joined = ([first = '', ...others]: readonly string[]) => join(first, number => others[number - 1], LIMITS.max)
const [mine, theirs] = [piecesOf(value), piecesOf(other)]
const same = (one: readonly string[], two: readonly string[]) => one.join() === two.join()

test('the two sessions are seven pieces each, which open when they are joined', () => {
  assert.deepEqual([mine.length, theirs.length], [7, 7])
  assert.deepEqual([joined(mine), joined(theirs)], [value, other])
})

test('every swap of two pieces is refused', t => {
  const swaps = upTo(mine.length).flatMap(one =>
    upTo(one).map(two => mine.map((piece, at) => (at === one ? mine[two] : at === two ? mine[one] : piece) ?? '')),
  )
  assertRefused(t, swaps.map(joined), { undecodable: 6, signature: 15 })
})

test('every other order of the pieces is refused', t => {
  const orders = permutations(mine).filter(order => !same(order, mine))
  assertRefused(t, orders.map(joined), { undecodable: 4320, signature: 719 })
})

test('every mixture of the pieces of two sessions is refused', t => {
  const mixtures = upTo(2 ** mine.length)
    .map(mask => mine.map((piece, at) => (mask & (1 << at) ? (theirs[at] ?? '') : piece)))
    .filter(mixture => !same(mixture, mine) && !same(mixture, theirs))
  assertRefused(t, mixtures.map(joined), { signature: 126 })
})

test('every choice of some of the pieces is refused', t => {
  const choices = upTo(2 ** mine.length - 1).map(mask => mine.map((piece, at) => (mask & (1 << at) ? piece : '')))
  assertRefused(t, choices.map(joined), { undecodable: 64, 'not joined': 63 })
})

test('every piece in the place of another is refused', t => {
  const doubled = mine.flatMap((_, at) =>
    mine.map((_, from) => mine.map((piece, place) => (place === at ? (mine[from] ?? '') : piece))),
  )
  assertRefused(t, doubled.filter(pieces => !same(pieces, mine)).map(joined), { undecodable: 12, signature: 30 })
})

test('every other number of pieces is refused', t => {
  const heads = upTo(256).map(code => `${String.fromCharCode(code)}${mine[0]?.slice(1)}`)
  const forgeries = heads.map(head => [head, ...mine.slice(1), ...theirs.slice(1)]).filter(([head]) => head !== mine[0])
  assertRefused(t, forgeries.map(joined), { undecodable: 4, signature: 3, 'not joined': 248 })
})

test('a smaller session is not joined with what a larger one left behind, nor a larger one with too little', t => {
  const small = seal('{}', keyring, context)
  assert.equal(joined([small, ...mine.slice(1)]), small)
  assertRefused(t, [joined([mine[0] ?? '', small]), joined([mine[0] ?? ''])], { 'not joined': 2 })
})

function permutations(list: readonly string[]): string[][] {
  if (list.length === 0) return [[]]
  return list.flatMap((first, at) =>
    permutations([...list.slice(0, at), ...list.slice(at + 1)]).map(rest => [first, ...rest]),
  )
}
