// Starts the example: build the package, then `node examples/spa/server.mjs`. The app and its API are two origins of one
// site, shop.localhost. Browsers know that all names that end with "localhost" are this machine.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { memoryStore } from 'koa-session/memory'
import { createApi } from './api.mjs'
import { createApp } from './app.mjs'

const { PORT = '3000', API_PORT = '3001', SESSION_KEYS } = process.env
const keys = SESSION_KEYS?.split(',') ?? [randomBytes(32).toString('base64url')]

const servers = { app: await listen(PORT), api: await listen(API_PORT) }
const originOf = name => `http://${name}.shop.localhost:${servers[name].address().port}`
const api = createApi({ origin: originOf('app'), store: memoryStore(), keys })
servers.api.on('request', api.callback())
servers.app.on('request', createApp({ api: originOf('api') }).callback())
console.log(`${originOf('app')}\nThe API: ${originOf('api')}`)

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop)

async function listen(port) {
  const server = createServer().listen(Number(port), 'localhost')
  await once(server, 'listening')
  return server
}

function stop() {
  for (const server of Object.values(servers)) {
    server.close()
    server.closeAllConnections()
  }
}
