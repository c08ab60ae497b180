// Starts the example: build the package, then `node examples/password/server.mjs`. With NODE_ENV=production it is for a
// proxy that ends TLS: its cookie needs that.
import { randomBytes } from 'node:crypto'
import { memoryStore } from 'koa-session/memory'
import { createApp } from './app.mjs'
import { createUsers } from './users.mjs'

const random = bytes => randomBytes(bytes).toString('base64url')
const { NODE_ENV, PORT = '3000', SESSION_KEYS, PASSWORD } = process.env
const password = PASSWORD || random(12)
const keys = (SESSION_KEYS || random(32)).split(',')

const users = await createUsers()
await users.setPassword('ada', password)
const store = memoryStore()
const app = createApp({ users, store, keys, secure: NODE_ENV === 'production' })
// One that somebody has set is not for the log.
const shown = PASSWORD ? 'of PASSWORD' : `"${password}"`
const server = app.listen(Number(PORT), 'localhost', () => {
  console.log(`http://localhost:${server.address().port}\nSign in as "ada" with the password ${shown}.`)
})

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop)

function stop() {
  server.close()
  server.closeAllConnections()
}
