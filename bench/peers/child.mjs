/*
 * Runs every case for one package on its framework, or for the framework alone, in a process of its own: nothing
 * that another one has loaded or left behind can make it faster or slower. Before a case is timed it has to prove
 * that it does what it is timed for.
 */

import { cases, user } from '../cases.mjs'
import { exchange } from '../exchange.mjs'

const { framework, peer, mode } = JSON.parse(process.argv[2])
const { open } = await import(`./${framework}.mjs`)

let seen

// As they were sent: Fastify hands its headers to `writeHead`, after which `getHeader` does not know them.
const cookiesOf = response => [...response._header.matchAll(/^set-cookie: ([^;]+)/gim)].map(([, cookie]) => cookie)
const asSentBack = cookies => Buffer.from(cookies.join('; '))

async function run({ listener, cookie, check }, requests) {
  let response
  for (let i = 1; i <= requests; i++) {
    response = await exchange(listener, cookie)
    // Without a turn of the event loop whatever was put off until later would never be paid for.
    if (i % 25 === 0) await new Promise(resolve => setImmediate(resolve))
  }
  check(response)
}

async function prepareBare({ seed }) {
  const listen = await open({ mode })
  // About as long as theirs, because to hand it over costs time as well.
  const value = mode === 'store' ? user.repeat(3) : Buffer.from(JSON.stringify(seed ?? {})).toString('base64')
  const listener = await listen(() => undefined, {})
  const check = ({ statusCode }) => {
    if (statusCode !== 200) throw new Error(`${framework}: status ${statusCode}`)
  }
  return { listener, check, cookie: seed && asSentBack([`session=${value}`]) }
}

async function prepare(key) {
  const { seed, handle, accepts, answers = false, counts, options } = cases[key]
  if (!peer) return prepareBare(cases[key])
  const must = (truth, what) => {
    if (!truth) throw new Error(`${peer}, ${key} (${mode}): ${what}`)
  }
  const listen = await open({ peer, mode, ...options })
  const listenTo = (handle, uses) => listen(carrier => (seen = handle(carrier)), uses)
  const check = response => {
    must(response.statusCode === 200, `status ${response.statusCode}`)
    must(accepts(seen), `the handler saw ${seen}`)
    const isAnswered = cookiesOf(response).length > 0
    must(isAnswered === answers, isAnswered ? 'an unexpected Set-Cookie' : 'no Set-Cookie')
  }

  const plant = await listenTo(carrier => Object.assign(carrier.session, seed), { touches: true, saves: true })
  const cookie = seed && asSentBack(cookiesOf(await exchange(plant)))
  must(!seed || cookie.length > 0, 'the seeding request got no cookie')
  const listener = await listenTo(handle, { touches: key !== 'untouched', saves: answers })
  const response = await exchange(listener, cookie)
  check(response)
  const first = seen
  const look = await listenTo(({ session }) => ({ user: session.user, n: session.n }), { touches: true })
  await exchange(look, answers ? asSentBack(cookiesOf(response)) : cookie)
  must(seen.user === user, 'the next request does not find the session')
  must(!counts || seen.n === first, `the next request finds ${seen.n} where ${first} was written`)
  await exchange(look)
  must(seen.user === undefined, 'a request without the cookie finds the session')
  return { listener, cookie, check }
}

const prepared = {}

const commands = {
  async prepare(key, requests) {
    prepared[key] = await prepare(key)
    await run(prepared[key], requests)
  },

  async time(key, requests) {
    await run(prepared[key], Math.min(requests, 25))
    // Processor time and not the clock: of all threads, and of nothing else that runs on the machine.
    const before = process.cpuUsage()
    await run(prepared[key], requests)
    const used = process.cpuUsage(before)
    return (used.user + used.system) / requests
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
