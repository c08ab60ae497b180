/*
 * Load on a server over HTTP, by autocannon, and what it took: of the clock, and of the server's processor. Whoever
 * imports it has called `install` before.
 */

import { readFileSync } from 'node:fs'
import autocannon from 'autocannon'
import { headerFrom } from '../test/support/set-cookie.mjs'
import { quantile } from './statistics.mjs'

/** Of the client. */
export const { version } = JSON.parse(
  readFileSync(new URL('./node_modules/autocannon/package.json', import.meta.url), 'utf8'),
)

/*
 * Keeps this process from falling asleep while it waits for answers: to send one to a client on the same machine that
 * sleeps costs the server its awakening, some 20 µs, and a client sleeps the more the slower the server is. To send one
 * over a network costs no such thing. Where a database needs the client's processor too, it costs more than it saves.
 */
function stayAwake() {
  let immediate = setImmediate(function again() {
    immediate = setImmediate(again)
  })
  return () => clearImmediate(immediate)
}

/*
 * Asks `server` for `path` for some seconds, on a connection for each of `cookies`; an answer other than 2xx is an error.
 * The other options are autocannon's. Latencies are in milliseconds.
 */
export async function load(server, path, { cookies, seconds, isAwake = false, ...options }) {
  const before = await server.used()
  const began = performance.now()
  const sleep = isAwake ? stayAwake() : () => undefined
  let connected = 0
  const latencies = []
  const running = autocannon({
    url: server.origin + path,
    connections: cookies.length,
    duration: seconds,
    setupClient(client) {
      const cookie = cookies[connected++ % cookies.length]
      if (cookie) client.setHeaders({ cookie })
    },
    ...options,
  })
  running.on('response', (_client, _status, _bytes, latency) => latencies.push(latency))
  const result = await running
  sleep()
  const clock = (performance.now() - began) / 1000
  const processor = (await server.used()) - before
  const { non2xx, errors, timeouts, mismatches } = result
  if (non2xx + errors + timeouts + mismatches > 0) throw new Error(`${path}: ${JSON.stringify(result)}`)
  const requests = result.requests.total
  return {
    requests,
    perSecond: requests / result.duration,
    processor: processor / requests,
    busy: processor / clock,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
  }
}

export const cookieOf = response => headerFrom(response.headers.getSetCookie())
