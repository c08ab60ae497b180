// Starts the example: build the package, then `node examples/admin/server.mjs`. The shop and its admin page listen on two
// ports, which are two origins, and share a store.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { memoryStore } from 'koa-session/memory'
import { createAdmin } from './admin.mjs'
import { createShop } from './shop.mjs'

const random = bytes => randomBytes(bytes).toString('base64url')
const { ADMIN_PASSWORD, PORT = '3000', ADMIN_PORT = '3001' } = process.env
const password = ADMIN_PASSWORD || random(12)
const store = memoryStore()

const shop = await listen(createShop({ store, keys: [random(32)] }), PORT)
const admin = await listen(createAdmin({ store, password, keys: [random(32)] }), ADMIN_PORT)
// One that somebody has set is not for the log.
const shown = ADMIN_PASSWORD ? 'of ADMIN_PASSWORD' : `"${password}"`
console.log(`The shop, where people sign in:
${shop}
Its admin page, with the password ${shown}:
${admin}`)

async function listen(app, port) {
  const server = app.listen(Number(port), 'localhost')
  await once(server, 'listening')
  const stop = () => {
    server.close()
    server.closeAllConnections()
  }
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop)
  return `http://localhost:${server.address().port}`
}
