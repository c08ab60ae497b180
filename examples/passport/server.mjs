// Starts the example: build the package, then `node examples/passport/server.mjs`.
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { createApp } from './app.mjs'

const keys = process.env.SESSION_KEYS?.split(',') ?? [randomBytes(32).toString('base64url')]
const server = createServer()
server.listen(Number(process.env.PORT || 3000), 'localhost', () => {
  const origin = `http://localhost:${server.address().port}`
  server.on('request', createApp({ keys, origin }).callback())
  console.log(origin)
})
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close()
    server.closeAllConnections()
  })
}
