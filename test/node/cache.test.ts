/** What a response says to caches, row by row. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { forbidCaching, forbidSharing, isShared, variesByCookie, varyByCookie } from '../../src/node/cache.ts'
import { heard, warningsOf } from '../support/warnings.ts'
import { responseWith } from './response.ts'

type Vary = string | number | readonly string[]

/** What Vary is before, and what it is once the response varies by Cookie; the same: it already did. */
const VARY: ReadonlyArray<readonly [before: Vary | undefined, after: Vary]> = [
  [undefined, 'Cookie'],
  ['Cookie', 'Cookie'],
  ['cookie', 'cookie'],
  ['*', '*'],
  ['Origin,COOKIE', 'Origin,COOKIE'],
  ['Origin,  cookie  , Accept', 'Origin,  cookie  , Accept'],
  [
    ['Origin', 'Cookie'],
    ['Origin', 'Cookie'],
  ],
  ['Origin', 'Origin, Cookie'],
  ['', ', Cookie'],
  ['X-Cookie', 'X-Cookie, Cookie'],
  ['Cookie-Name', 'Cookie-Name, Cookie'],
  ['My Cookie', 'My Cookie, Cookie'],
  ['Cookie Name', 'Cookie Name, Cookie'],
  [['Origin', 'Accept'], 'Origin, Accept, Cookie'],
  [1, '1, Cookie'],
]

for (const [before, after] of VARY) {
  test(`Vary ${JSON.stringify(before)} becomes ${JSON.stringify(after)}`, () => {
    const res = responseWith(before === undefined ? {} : { Vary: before })
    assert.equal(variesByCookie(res), before !== undefined && String(before) === String(after))
    varyByCookie(res)
    assert.deepEqual(res.getHeader('vary'), after)
    assert.ok(variesByCookie(res))
  })
}

test('Cache-Control of the handler stays, and otherwise forbids to keep the response', () => {
  for (const [given, after] of [
    [{}, 'no-store'],
    [{ 'Cache-Control': 'public' }, 'public'],
  ] as const) {
    const res = responseWith(given)
    forbidCaching(res)
    assert.equal(res.getHeader('cache-control'), after)
  }
})

/** Whether a shared cache may keep a response with this Cache-Control. */
const KEPT: Readonly<Record<string, boolean>> = {
  public: true,
  Public: true,
  immutable: true,
  'max-age=1': true,
  's-maxage=1': true,
  'max-age=60': true,
  'max-age  =  1': true,
  'max-age="1"': true,
  'max-age=007': true,
  'no-cache,public': true,
  'no-cache,  public  , max-age=0': true,
  'public="x"': true,
  'no-transform, max-age=5': true,
  'max-age=0': false,
  'max-age=00': false,
  's-maxage=0': false,
  'max-age': false,
  'max-age=x1': false,
  'x-public': false,
  'not public': false,
  publicity: false,
  immutables: false,
  'no-cache': false,
  '': false,
  private: false,
  'public, private': false,
  'public,  NO-STORE  , max-age=1': false,
  'no-store, public': false,
  'private,public': false,
  'public, x-private': true,
  'public, not private': true,
  'public, private="x"': true,
  'public, private but not quite': true,
}

for (const [control, isKept] of Object.entries(KEPT)) {
  test(`Cache-Control: ${control} ${isKept ? 'lets' : 'does not let'} a shared cache keep the response`, () => {
    assert.equal(isShared(responseWith({ 'Cache-Control': control })), isKept)
  })
}

/** What a response says, and what it says once it is to hand out a session; nothing: no shared cache may keep it, it stays. */
const SHARED: ReadonlyArray<readonly [given: Headers, after?: Headers]> = [
  [{}],
  [{ 'cache-control': 'no-cache' }],
  [{ 'cache-control': 'public, private' }],
  [{ 'cache-control': 'max-age=60' }, { 'cache-control': 'max-age=60, private' }],
  [{ 'cache-control': ['no-cache', 's-maxage=1'] }, { 'cache-control': 'no-cache,s-maxage=1, private' }],
  [{ 'cdn-cache-control': 'max-age=0' }],
  [{ 'cdn-cache-control': 'max-age=1' }, { 'cdn-cache-control': 'no-store' }],
  [{ 'surrogate-control': 'max-age=1' }, { 'surrogate-control': 'no-store' }],
  // Each goes for its own caches, whatever the others say.
  [
    { 'cache-control': 'private', 'cdn-cache-control': 'max-age=1' },
    { 'cache-control': 'private', 'cdn-cache-control': 'no-store' },
  ],
  [
    { 'cache-control': 'max-age=1', 'surrogate-control': 'no-store' },
    { 'cache-control': 'max-age=1, private', 'surrogate-control': 'no-store' },
  ],
]
type Headers = Readonly<Record<string, string | readonly string[]>>

const ADVICE =
  'a response that sends the cookie of a session says that it is public, so that a cache may give the session to others; ' +
  'say `private`, or do not change the session there'

for (const [given, after] of SHARED) {
  test(`a response with ${JSON.stringify(given)} ${after ? 'is kept from' : 'is not for'} shared caches`, async t => {
    const warnings = warningsOf(t, 'KOA_SESSION_PUBLIC')
    const res = responseWith(given)
    assert.equal(isShared(res), after !== undefined)
    forbidSharing(res)
    await heard()
    assert.deepEqual([{ ...res.getHeaders() }, warnings], [after ?? given, []])
  })
}

test('a response that is public stays so, and the process is warned once', async t => {
  const warnings = warningsOf(t, 'KOA_SESSION_PUBLIC')
  const said = ['public', 'max-age=1, Public', 'x-public, public']
  for (const control of said) {
    const res = responseWith({ 'cache-control': control, 'cdn-cache-control': 'max-age=1, x-public' })
    forbidSharing(res)
    assert.deepEqual({ ...res.getHeaders() }, { 'cache-control': control, 'cdn-cache-control': 'no-store' })
  }
  await heard()
  assert.deepEqual(
    warnings.map(({ message }) => message),
    [ADVICE],
  )
})
