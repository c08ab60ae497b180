/** What is said of a cookie that is too large. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { LARGEST_COOKIE, tooLarge } from '../../src/codec/size.ts'

test('the error names cookie, size, limit, and what to do', () => {
  const { code, message } = tooLarge('koa.sess', 5000)
  assert.equal(code, 'ERR_SESSION_TOO_LARGE')
  const advice = 'keep less in the session, or keep it in a store (option store)'
  assert.equal(message, `the cookie koa.sess has 5000 bytes, and browsers drop one of more than 4096: ${advice}`)
  assert.equal(tooLarge('koa.sess', 5000, LARGEST_COOKIE).message, message)
  assert.equal(
    tooLarge('koa.sess', 20_000, 16_384, ', or else').message,
    `the cookie koa.sess has 20000 bytes, and servers may refuse more than 16384: ${advice}, or else`,
  )
})
