/*
 * Runs every case for one variant, in a process of its own: two releases in one process would share type
 * feedback and heap, and the second one measured would pay for the first. Requests and responses are
 * Node's own objects on a socket that swallows what it is given, so cookies are really set, headers really
 * serialized and responses really ended, but no network is measured.
 */

import { IncomingMessage, ServerResponse } from 'node:http'
import { Duplex } from 'node:stream'
import Koa from 'koa'
import { cases, user } from './cases.mjs'

const built = name => import(new URL(`../dist/${name}.mjs`, import.meta.url))
const variants = { '7.0.2': () => import('koa-session-7'), 8: () => built('index') }
const name = process.argv[2]
const session = (await variants[name]?.())?.default
const { memoryStore } = session ? await built('memory') : {}

const socket = new Duplex({ decodeStrings: false, read() {}, write: (_chunk, _encoding, done) => done() })
let seen

function makeCallback(options, handle) {
  const app = new Koa({ keys: ['a secret of the benchmark'] })
  if (session) app.use(session({ ...options }, app))
  app.use(ctx => {
    seen = handle(ctx)
    ctx.body = 'ok'
  })
  return app.callback()
}

function exchange(callback, cookie) {
  return new Promise(resolve => {
    const request = new IncomingMessage(socket)
    Object.assign(request, { method: 'GET', url: '/', httpVersionMajor: 1, httpVersionMinor: 1 })
    request.headers = { host: 'localhost', accept: 'text/html', connection: 'keep-alive' }
    // A new string each time, as the parser makes it: nothing may be remembered by its identity.
    if (cookie) request.headers.cookie = cookie.toString('latin1')
    const response = new ServerResponse(request)
    response.assignSocket(socket)
    response.on('finish', () => {
      response.detachSocket(socket)
      resolve(response)
    })
    callback(request, response)
  })
}

function cookiesOf(response) {
  const lines = response.getHeader('Set-Cookie') ?? []
  return Buffer.from(lines.map(line => line.split(';')[0]).join('; '))
}

async function run({ callback, cookie, check }, requests) {
  let response
  for (let i = 1; i <= requests; i++) {
    response = await exchange(callback, cookie)
    // Without a turn of the event loop whatever was put off until later would never be paid for.
    if (i % 25 === 0) await new Promise(resolve => setImmediate(resolve))
  }
  check(response)
}

async function prepare(key, mode) {
  const { seed, handle, accepts, answers = false, counts, options } = cases[key]
  const must = (truth, what) => {
    if (!truth) throw new Error(`${name}, ${key} (${mode}): ${what}`)
  }
  if (!session) {
    const value = Buffer.from(JSON.stringify(seed ?? {})).toString('base64')
    const cookie = seed && Buffer.from(`koa.sess=${value}; koa.sess.sig=none`)
    const check = response => must(response.statusCode === 200, `status ${response.statusCode}`)
    return { callback: makeCallback({}, () => undefined), cookie, check }
  }
  const stored = mode === 'store' && { store: memoryStore({ max: 1000 }) }
  // By default 7.0.2 sends cookies without an expiry, and would have less to do than 8.
  const settings = { maxAge: 86400000, ...options, ...stored }
  const callback = makeCallback(settings, handle)
  const plant = makeCallback(settings, ctx => Object.assign(ctx.session, seed))
  const cookie = seed && cookiesOf(await exchange(plant))
  must(!seed || /koa\.sess=.+koa\.sess\.sig=/.test(cookie), 'the seeding request got no signed cookie')
  const check = response => {
    must(response.statusCode === 200, `status ${response.statusCode}`)
    must(accepts(seen), `the handler saw ${seen}`)
    must(response.hasHeader('Set-Cookie') === answers, answers ? 'no Set-Cookie' : 'an unexpected Set-Cookie')
  }
  const response = await exchange(callback, cookie)
  check(response)
  const first = seen
  const look = makeCallback(settings, ctx => ({ user: ctx.session.user, n: ctx.session.n }))
  await exchange(look, answers ? cookiesOf(response) : cookie)
  must(seen.user === user, 'the next request does not find the session')
  must(!counts || seen.n === first, `the next request finds ${seen.n} where ${first} was written`)
  return { callback, cookie, check }
}

const prepared = {}

const commands = {
  async prepare(key, mode, requests) {
    prepared[key + mode] = await prepare(key, mode)
    await run(prepared[key + mode], requests)
  },

  async times(key, mode, requests) {
    await run(prepared[key + mode], 25)
    // Processor time and not the clock: what else runs on the machine is none of the middleware's cost.
    const before = process.cpuUsage()
    await run(prepared[key + mode], requests)
    const used = process.cpuUsage(before)
    return (used.user + used.system) / requests
  },

  async bytes(key, mode, requests) {
    globalThis.gc({ type: 'minor' })
    await run(prepared[key + mode], 25)
    const before = process.memoryUsage()
    await run(prepared[key + mode], requests)
    const after = process.memoryUsage()
    return (after.heapUsed + after.external - before.heapUsed - before.external) / requests
  },
}

process.on('message', async ([command, ...parameters]) => {
  try {
    process.send({ value: await commands[command](...parameters) })
  } catch (error) {
    process.send({ error: error.stack })
  }
})
process.send({})
