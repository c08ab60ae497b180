/** The lines of Set-Cookie on a response. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { cookieLines, isOf, setCookieLines, without } from '../../src/node/set-cookie.ts'
import { responseWith } from './response.ts'

test('the lines are a list, whatever the header was set to', () => {
  const rows: ReadonlyArray<readonly [header: string | number | readonly string[] | undefined, lines: string[]]> = [
    [undefined, []],
    ['a=1', ['a=1']],
    [
      ['a=1', 'b=2'],
      ['a=1', 'b=2'],
    ],
    [1, ['1']],
  ]
  for (const [header, lines] of rows) {
    assert.deepEqual(cookieLines(responseWith(header === undefined ? {} : { 'Set-Cookie': header })), lines)
  }
})

test('lines take the place of all others, and no lines are no header', () => {
  const res = responseWith({ 'Set-Cookie': ['a=1', 'b=2'] })
  setCookieLines(res, ['c=3'])
  assert.deepEqual(res.getHeader('set-cookie'), ['c=3'])
  setCookieLines(res, [])
  assert.equal(res.hasHeader('set-cookie'), false)
})

test('lines without others are those that are not among them, and the same list without any', () => {
  const lines = ['a=1', 'b=2', 'a=1']
  assert.deepEqual(without(lines, ['a=1', 'c=3']), ['b=2'])
  assert.equal(without(lines, []), lines)
})

const OURS: Readonly<Record<string, boolean>> = {
  'koa.sess=x': true,
  'koa.sess=': true,
  'koa.sess.sig=x': true,
  'koa.sess.1=x': true,
  'koa.sess': false,
  'koa.session=x': false,
  'koa.sess.sigx=x': false,
  'koa.sess.xx=x': false,
  'koa.sess.12=x': false,
  'koa.sess.x.sig=': false,
  'koa.sessx=': false,
  'other=koa.sess=x': false,
  '12345678=x': false,
}

for (const [line, isOurs] of Object.entries(OURS)) {
  test(`${line} ${isOurs ? 'sets' : 'does not set'} a cookie of the key koa.sess`, () => {
    assert.equal(isOf('koa.sess', line), isOurs)
  })
}
