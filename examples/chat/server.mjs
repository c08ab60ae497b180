// Starts the example: build the package, then `node examples/chat/server.mjs`. Sessions are in memory.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { memoryStore } from 'koa-session/memory'
import { createApp, sessionOptions } from './app.mjs'
import { createChat } from './chat.mjs'

const CHECK_EVERY = 30_000
const { PORT = '3000', SESSION_KEYS, ORIGIN } = process.env
const keys = SESSION_KEYS?.split(',') ?? [randomBytes(32).toString('base64url')]
// What the store ends by itself, such as by destroyAll(), is no event of the application.
const store = memoryStore({ onEnded: ({ subjectHash }) => chat.check(subjectHash) })

const app = createApp({ store, keys })
const server = app.listen(Number(PORT), 'localhost')
await once(server, 'listening')
const url = `http://localhost:${server.address().port}`
// Behind a proxy, it is the origin that the browser sees.
const chat = createChat({ options: { ...sessionOptions({ store }), keys }, origin: ORIGIN ?? url })
server.on('upgrade', chat.upgrade)
app.on('session:ended', ({ subjectHash }) => chat.check(subjectHash))
// Nothing tells when a session expires, or when another process ends it.
const checking = setInterval(() => chat.check(), CHECK_EVERY)
console.log(url)

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop)

function stop() {
  clearInterval(checking)
  chat.close()
  server.close()
  server.closeAllConnections()
}
