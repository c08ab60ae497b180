// Starts the example: build the package, then `node examples/counter/server.mjs`. Sessions are in the cookie, or in the
// store that `--store sqlite:./sessions.db` names, or another URL of store.mjs.
import { parseArgs } from 'node:util'
import { createApp } from './app.mjs'
import { findKeys } from './keys.mjs'
import { openStore } from './store.mjs'

try {
  await start()
} catch (error) {
  console.error(error.message)
  process.exit(1)
}

async function start() {
  const { values } = parseArgs({ options: { store: { type: 'string' } } })
  const opened = values.store === undefined ? undefined : await openStore(values.store)
  const keys = findKeys({ outliveProcess: opened?.outlivesProcess ?? false })
  const app = createApp({ session: { store: opened?.store }, keys, storeName: opened?.name })
  app.on('session:error', ({ operation, error }) => {
    console.error(`The store failed to ${operation}: ${(error.cause ?? error).message}`)
  })
  const server = app.listen(Number(process.env.PORT || 3000), 'localhost', () => {
    console.log(`http://localhost:${server.address().port}`)
  })
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop(server, opened))
}

// Requests that are under way still have the store, for two seconds.
function stop(server, opened) {
  server.close(() => opened?.close())
  server.closeIdleConnections()
  setTimeout(() => server.closeAllConnections(), 2000).unref()
}
