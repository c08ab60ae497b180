/** Each example, asked with HEAD as `curl -I` does: no header says which site has sent the request. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { memoryStore } from 'koa-session/memory'
import { createAgent } from 'koa-session/testing'
import { createAdmin } from '../../examples/admin/admin.mjs'
import { createShop } from '../../examples/admin/shop.mjs'
import { createApp as createChat } from '../../examples/chat/app.mjs'
import { createApp as createCounter } from '../../examples/counter/app.mjs'
import { createApp as createPassport } from '../../examples/passport/app.mjs'
import { createApp as createPassword } from '../../examples/password/app.mjs'
import { createApp as createProxied } from '../../examples/proxy/app.mjs'
import { createApp as createServerless } from '../../examples/serverless/app.mjs'
import { createApi } from '../../examples/spa/api.mjs'
import { newSecret } from '../support/secrets.ts'

const keys = [newSecret()]
const store = memoryStore()
const origin = 'http://app.shop.localhost'

for (const [name, app, pages] of [
  ['the counter', createCounter({ keys }), { '/': 200 }],
  ['the shop', createShop({ store, keys }), { '/': 200, '/nothing': 404 }],
  [
    'the admin page',
    createAdmin({ store, password: newSecret(), keys }),
    { '/': 303, '/sign-in': 200, '/end-all': 303 },
  ],
  ['the chat', createChat({ store, keys }), { '/': 200, '/client.js': 200 }],
  ['the sign-in with a password', createPassword({ users: {}, store, keys }), { '/': 200, '/password': 303 }],
  ['the one behind a proxy', createProxied({ store, keys, name: 'one' }), { '/': 200 }],
  ['the one without a server', createServerless({ keys }), { '/': 200 }],
  ['the API', createApi({ origin, store, keys }), { '/me': 401 }],
  ['the one with Passport', createPassport({ keys, origin }), { '/': 200 }],
]) {
  test(`${name} answers a HEAD as it answers a GET, without the page`, async t => {
    const agent = await createAgent(app.callback())
    t.after(() => agent.close())
    for (const [path, status] of Object.entries(pages)) {
      assert.deepEqual([path, (await agent.get(path)).status], [path, status])
      const answer = await agent.send('HEAD', path)
      assert.deepEqual([path, answer.status, answer.text], [path, status, ''])
    }
    // It does nothing that a form does.
    assert.equal((await agent.send('HEAD', '/sign-out')).status, (await agent.get('/sign-out')).status)
  })
}
