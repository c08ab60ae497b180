// One process of the application: it listens on PORT, and has its sessions in the Redis at REDIS_URL. start.mjs starts two.
import { redisStore } from 'koa-session/redis'
import { createClient } from 'redis'
import { createApp } from './app.mjs'

const { PORT = '3001', REDIS_URL = 'redis://127.0.0.1:6379', SESSION_KEYS } = process.env
if (!SESSION_KEYS) {
  // A secret that each process makes for itself would sign people out whenever another process answers.
  console.error('SESSION_KEYS is not set: all processes need the same secrets. Make one with "npx koa-session keygen".')
  process.exit(1)
}

const client = createClient({ url: REDIS_URL })
client.on('error', error => console.error(`Redis: ${error.message || error.code}`))
await client.connect()
const app = createApp({ store: redisStore(client), keys: SESSION_KEYS.split(','), name: PORT })
// Only for the proxy on this machine. In a container, it is the network of the containers.
const server = app.listen(Number(PORT), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`))

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop)

// No new requests; those that are under way still have the store.
function stop() {
  server.close(() => client.isOpen && client.close())
  server.closeIdleConnections()
}
