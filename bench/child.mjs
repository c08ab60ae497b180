/*
 * Runs the cases of one variant, in a process of its own: two releases in one process would share type
 * feedback and heap, and the second one measured would pay for the first.
 */

import { randomBytes, randomUUID } from 'node:crypto'
import Koa from 'koa'
import { cookiesOf, exchange } from './exchange.mjs'
import { createFloor, floorCodec } from './floor.mjs'
import { amongOthers, cookieOf, cookieTable, fill } from './live-sessions.mjs'
import { median } from './statistics.mjs'

const built = name => import(new URL(`../dist/${name}.mjs`, import.meta.url))
const variants = {
  '7.0.2': { load: () => import('koa-session-7') },
  8: { load: () => built('index') },
  '8, remember: 0': { load: () => built('index'), options: { remember: 0 } },
  floor: { load: () => ({ default: createFloor(false) }) },
  'floor, memory': { load: () => ({ default: createFloor(true) }) },
}
const [name, source] = process.argv.slice(2)
const { cases, user } = await import(source)
const { load, options: ofVariant } = variants[name] ?? {}
const session = (await load?.())?.default
const { memoryStore } = session ? await built('memory') : {}

const defaultSecrets = [randomBytes(32).toString('base64url')]
let seen

function makeCallback(secrets, options, handle) {
  const app = new Koa({ keys: secrets })
  if (session) app.use(session({ ...ofVariant, ...options }, app))
  app.use(ctx => {
    seen = handle(ctx)
    ctx.body = 'ok'
  })
  return app.callback()
}

async function run({ callback, pick, check }, requests) {
  let response
  for (let i = 1; i <= requests; i++) {
    response = await exchange(callback, pick())
    // Without a turn of the event loop whatever was put off until later would never be paid for.
    if (i % 25 === 0) await new Promise(resolve => setImmediate(resolve))
  }
  check(response)
}

// 7.0.2 can't seal: it signs, as in the mode 'cookie'.
const isSealed = mode => mode === 'sealed' && name !== '7.0.2'
const cookieFormat = mode => (isSealed(mode) ? /^koa\.sess=A[\w-]+$/ : /^koa\.sess=.+; koa\.sess\.sig=.+$/)

const filled = {}

const bareCookie = (mode, seed) => {
  const id = randomUUID()
  return cookieOf(mode === 'store' ? id : Buffer.from(JSON.stringify(seed)).toString('base64'), 'x'.repeat(27))
}

async function prepare(key, mode) {
  const { seed, handle, accepts, answers = false, counts, options } = cases[key]
  const { secrets = defaultSecrets, others = 0, sessions = 1, visits = false } = cases[key]
  const must = (truth, what) => {
    if (!truth) throw new Error(`${name}, ${key} (${mode}): ${what}`)
  }
  if (!session) {
    const callback = makeCallback(secrets, {}, () => undefined)
    const check = response => must(response.statusCode === 200, `status ${response.statusCode}`)
    const cookie = seed && !visits && amongOthers(bareCookie(mode, seed), others)
    const pick = sessions > 1 && !visits ? cookieTable(sessions, () => bareCookie(mode, seed)).any : () => cookie
    return { callback, pick, check }
  }
  // By default 7.0.2 sends cookies without an expiry, and would have less to do than 8.
  const lasting = { maxAge: 86400000, ...options, ...(isSealed(mode) && { seal: true }) }
  if (sessions > 1) {
    filled[sessions] ??= await fill(sessions, memoryStore, seed, (store, handle) =>
      makeCallback(secrets, { ...lasting, store }, handle),
    )
  }
  const stored = mode === 'store' && (filled[sessions] ?? { store: memoryStore({ max: 1000 }) })
  const settings = stored ? { ...lasting, store: stored.store } : lasting
  const callback = makeCallback(secrets, settings, handle)
  const check = response => {
    must(response.statusCode === 200, `status ${response.statusCode}`)
    must(accepts(seen), `the handler saw ${seen}`)
    must(response.hasHeader('Set-Cookie') === answers, answers ? 'no Set-Cookie' : 'an unexpected Set-Cookie')
  }
  const prove = async cookie => {
    const response = await exchange(callback, cookie)
    check(response)
    const first = seen
    const look = makeCallback(secrets, settings, ctx => ({ user: ctx.session.user, n: ctx.session.n }))
    await exchange(look, answers ? cookiesOf(response) : cookie)
    must(seen.user === user, 'the next request does not find the session')
    must(!counts || seen.n === first, `the next request finds ${seen.n} where ${first} was written`)
  }
  if (visits) {
    await prove()
    return { callback, pick: () => undefined, check }
  }
  if (sessions > 1) {
    const { table, heap } = stored
    await prove(table.any())
    // In a small store the rest of the heap changes by more than the sessions do.
    if (sessions >= 10_000) stored.facts ??= await heap()
    return { callback, pick: table.any, check, facts: stored.facts }
  }
  const plant = makeCallback(secrets, settings, ctx => Object.assign(ctx.session, seed))
  const own = seed && cookiesOf(await exchange(plant))
  must(!seed || cookieFormat(mode).test(own), `the seeding request got no cookie of the mode`)
  const cookie = seed && amongOthers(own, others)
  await prove(cookie)
  return { callback, pick: () => cookie, check }
}

const others = new Uint8Array(8 << 20)
const codecs = {}
let visitors = 0

function cookieOfAnother(key, mode) {
  codecs[mode] ??= floorCodec(defaultSecrets[0], isSealed(mode))
  const now = Date.now()
  const lifetime = { _expire: now + 86400000, _maxAge: 86400000, _meta: { created: now } }
  const values = codecs[mode].write(JSON.stringify({ ...cases[key].seed, visitor: ++visitors, ...lifetime }))
  return Buffer.from(values.map((value, at) => codecs[mode].names[at] + value).join('; '))
}

const prepared = {}

const commands = {
  async prepare(key, mode, requests) {
    prepared[key + mode] = await prepare(key, mode)
    await run(prepared[key + mode], requests)
    return prepared[key + mode].facts
  },

  async times(key, mode, requests) {
    await run(prepared[key + mode], 25)
    // Processor time and not the clock: what else runs on the machine is none of the middleware's cost.
    const before = process.cpuUsage()
    await run(prepared[key + mode], requests)
    const used = process.cpuUsage(before)
    return (used.user + used.system) / requests
  },

  // Between two requests a loop drives what they use out of the caches: elsewhere other work does so.
  async cold(key, mode, requests) {
    const { callback, pick, check } = prepared[key + mode]
    const list = []
    let response
    for (let i = 0; i < requests; i++) {
      for (let at = 0; at < others.length; at += 64) others[at]++
      const before = process.cpuUsage()
      response = await exchange(callback, pick())
      const used = process.cpuUsage(before)
      list.push(used.user + used.system)
    }
    check(response)
    return median(list)
  },

  // Every request brings another cookie, which nobody in this process has seen or written. Collections count.
  async once(key, mode, requests) {
    const { callback, check } = prepared[key + mode]
    const cookies = Array.from({ length: requests }, () => cookieOfAnother(key, mode))
    const before = process.cpuUsage()
    await run({ callback, check, pick: () => cookies.pop() }, requests)
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
