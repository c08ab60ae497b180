/** What a response says to caches, row by row. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { forbidCaching, isShared, variesByCookie, varyByCookie } from '../../src/node/cache.ts'
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

test('what a CDN is told counts, unless Cache-Control forbids it', () => {
  for (const name of ['CDN-Cache-Control', 'Surrogate-Control']) {
    assert.equal(isShared(responseWith({ [name]: 'max-age=1' })), true, name)
    assert.equal(isShared(responseWith({ [name]: 'max-age=0' })), false, name)
    assert.equal(isShared(responseWith({ [name]: 'max-age=1', 'Cache-Control': 'private' })), false, name)
  }
  assert.equal(isShared(responseWith()), false)
  assert.equal(isShared(responseWith({ 'Cache-Control': ['no-cache', 'public'] })), true)
})
