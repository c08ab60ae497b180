/** The tracing channels, as an application sees them. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { pairOf } from '../support/set-cookie.mjs'
import { COOKIE_MODES, MODES, serve } from '../support/story.ts'
import { listen, said } from '../support/tracing.ts'

for (const [mode, options] of Object.entries(MODES)) {
  const isCookie = mode in COOKIE_MODES

  test(`${mode}: a commit tells the bytes of its cookies`, async t => {
    const { visitor } = await serve(t, options)
    const commit = listen(t, 'commit')
    const { cookies } = await visitor.get('/cart')
    const [message, ...more] = commit.over()
    const sent = cookies.map(line => pairOf(line).join('='))
    assert.equal(message?.bytes, Buffer.byteLength(sent.join('')))
    assert.deepEqual([said(commit), more], ['create done', []])
    assert.equal(message?.id === undefined, isCookie)
  })
}
