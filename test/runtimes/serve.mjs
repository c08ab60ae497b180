/* Serves each kind of session, in the runtime that this is: Node, Bun and Deno. Prints a line of JSON with their ports. */
import process from 'node:process'
import { createApp, KINDS } from './app.mjs'

const ports = await Promise.all(Object.entries(KINDS).map(([kind, options]) => serve(kind, options)))
console.log(JSON.stringify(Object.fromEntries(ports)))

function serve(kind, options) {
  return new Promise(resolve => {
    const server = createApp(options, process.env.SECRET).listen(0, '127.0.0.1', () =>
      resolve([kind, server.address().port]),
    )
  })
}
