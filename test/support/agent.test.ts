import assert from 'node:assert/strict'
import test, { type TestContext as Test } from 'node:test'
import { type Page, serve, told } from './story.ts'

test('a test that fails shows what was answered, the errors and the events, and no value of a cookie', async t => {
  const ends: (() => void)[] = []
  const cause = new Error('expected otherwise')
  const failing = { after: (end: () => void) => ends.push(end), error: { cause } }
  const page: Page = ({ session }) => {
    void session.user
    throw Object.assign(new Error('down'), { code: 'E_DOWN' })
  }
  const { visitor } = await serve(failing as unknown as Test, {}, { '/down': page })
  t.after(() => {
    for (const end of ends) end()
  })
  await visitor.get('/cart')
  await visitor.stranger().get('/down', { cookie: 'koa.sess=forged' })
  await told()
  ends.shift()?.()
  ends.shift()?.()
  const lines = cause.stack?.split('\n  The last answers:\n  ')[1]?.split('\n  ')
  assert.deepEqual(lines, [
    'GET /cart: 200 "cart", sets koa.sess koa.sess.sig',
    'GET /down: 500 "Internal Server Error", sets no cookie',
    'Errors: E_DOWN. Events: session:refused',
  ])
})
