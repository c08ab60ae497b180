/** The middleware of docs/recipes.md that refuses requests of other sites. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { type Head, visit } from '../support/agent.ts'
import { createApp, type TestContext } from '../support/koa.ts'
import { recipe } from './page.ts'

type Middleware = (ctx: TestContext, next: () => Promise<void>) => unknown

const { sameOrigin } = await recipe<{ sameOrigin(origin: string): Middleware }>('recipes.md', 'same-origin')
const OURS = 'https://shop.example'
const OTHER = 'https://evil.example'
const PROXIED = { host: '10.0.0.7:3000', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'shop.example' }

/** What a `POST` with these headers is answered. */
const ROWS: readonly (readonly [title: string, headers: Head, status: number])[] = [
  ['a form of our own', { 'sec-fetch-site': 'same-origin', origin: OURS }, 200],
  ['an action of the user, such as a reload', { 'sec-fetch-site': 'none' }, 200],
  ['a form of a subdomain', { 'sec-fetch-site': 'same-site', origin: 'https://blog.shop.example' }, 403],
  ['a form of another site', { 'sec-fetch-site': 'cross-site', origin: OTHER }, 403],
  ['a form of another site that says our origin', { 'sec-fetch-site': 'cross-site', origin: OURS }, 403],
  ['two values', { 'sec-fetch-site': 'same-origin, cross-site', origin: OURS }, 403],
  ['a value that nobody knows', { 'sec-fetch-site': 'other', origin: OURS }, 403],
  ['an old browser, our form', { origin: OURS }, 200],
  ['an old browser, a form of another site', { origin: OTHER }, 403],
  ['an old browser, a subdomain', { origin: 'https://blog.shop.example' }, 403],
  ['an old browser, without TLS', { origin: 'http://shop.example' }, 403],
  ['an old browser, another port', { origin: 'https://shop.example:8443' }, 403],
  ['an old browser, an origin that begins as ours', { origin: 'https://shop.example.evil.example' }, 403],
  ['a sandboxed frame of an old browser', { origin: 'null' }, 403],
  ['neither header', {}, 403],
  ['an empty header, and no origin', { 'sec-fetch-site': '' }, 403],
  ['behind a proxy, our form', { ...PROXIED, 'sec-fetch-site': 'same-origin', origin: OURS }, 200],
  ['behind a proxy, an old browser, our form', { ...PROXIED, origin: OURS }, 200],
  ['behind a proxy, an old browser, the address of the server', { ...PROXIED, origin: 'http://10.0.0.7:3000' }, 403],
  ['a host that is made up', { host: 'evil.example', 'x-forwarded-host': 'evil.example', origin: OTHER }, 403],
]

for (const proxy of [false, true]) {
  for (const [title, headers, status] of ROWS) {
    test(`a POST, app.proxy = ${proxy}: ${title}: ${status}`, async t => {
      const app = createApp()
      app.proxy = proxy
      let handled = 0
      app.use(sameOrigin(OURS))
      app.use(ctx => {
        handled++
        ctx.body = 'done'
      })
      const visitor = await visit(t, app)
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
        assert.equal((await visitor.send(method, '/', headers)).status, status, method)
      }
      assert.equal(handled, status === 200 ? 4 : 0)
      for (const method of ['GET', 'HEAD', 'OPTIONS']) {
        assert.equal((await visitor.send(method, '/', headers)).status, 200, method)
      }
    })
  }
}
