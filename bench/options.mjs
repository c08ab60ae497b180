/*
 * Tells what an option costs a request where it is on, of the time without it: read and write of 60 bytes in a cookie and in
 * `memoryStore()`. Every variant has a process of its own, and they take turns.
 */

import { randomBytes } from 'node:crypto'
import { subscribe } from 'node:diagnostics_channel'
import { parseArgs } from 'node:util'
import Koa from 'koa'
import { cookiesOf, exchange } from './exchange.mjs'
import { about, stated } from './machine.mjs'
import { fixed, table } from './markdown.mjs'
import { start } from './process.mjs'
import { median, noise, shuffled } from './statistics.mjs'

const built = name => import(new URL(`../dist/${name}.mjs`, import.meta.url))
const subject = ({ user }) => user
const inStore = { subject }

/** By name: the options, and what else is switched on. What is only for a store is not measured in a cookie. */
const variants = {
  'without a session': { isBare: true },
  nothing: {},
  'notBefore, a number': { options: { notBefore: 1 } },
  'notBefore, a function': { options: { notBefore: () => 1 } },
  'version and upgrade': { options: { version: 1, upgrade: data => data } },
  'remember: 0': { options: { remember: 0 } },
  'events, a listener of each': { hears: true },
  'tracing, a subscriber of each': { isTraced: true },
  subject: { options: inStore, store: true },
  maxSessions: { options: { ...inStore, maxSessions: { count: 5 } }, store: true },
  "onReuse: 'end'": { options: { ...inStore, onReuse: 'end' }, store: true },
  'lazy, loaded': { options: { lazy: true }, store: true },
}
const modes = ['cookie', 'store']
const pages = {
  read: ctx => ctx.session.user,
  write: ctx => (ctx.session.n = (ctx.session.n ?? 0) + 1),
}

async function serve({ options, store, isBare, hears, isTraced }, mode) {
  if (store && mode === 'cookie') return undefined
  const session = (await built('index')).default
  const app = new Koa({ keys: [randomBytes(32).toString('base64url')] })
  const kept = mode === 'store' && { store: (await built('memory')).memoryStore({ max: 1000 }) }
  const sessions = isBare ? undefined : session({ maxAge: 86400000, ...kept, ...options }, app)
  if (sessions) app.use(sessions)
  if (hears) for (const type of ['created', 'regenerated', 'ended']) app.on(`session:${type}`, () => {})
  for (const channel of isTraced ? ['store', 'commit'] : []) {
    for (const event of ['start', 'end', 'asyncEnd']) subscribe(`tracing:koa-session:${channel}:${event}`, () => {})
  }
  let page
  app.use(async ctx => {
    if (options?.lazy) await sessions.load(ctx)
    if (!isBare) page(ctx)
    ctx.body = 'ok'
  })
  const callback = app.callback()
  page = ctx => Object.assign(ctx.session, { user: '5f1d7c2e9a41', role: 'editor', theme: 'dark', n: 1 })
  const cookie = cookiesOf(await exchange(callback))
  return async (name, requests) => {
    page = pages[name]
    for (let n = 1; n <= requests; n++) {
      const { statusCode } = await exchange(callback, isBare ? undefined : cookie)
      if (statusCode !== 200) throw new Error(`status ${statusCode}`)
      if (n % 25 === 0) await new Promise(resolve => setImmediate(resolve))
    }
  }
}

const [name, mode] = process.argv.slice(2)
if (process.send && variants[name]) {
  const run = await serve(variants[name], mode)
  process.on('message', async ([page, requests]) => {
    try {
      const before = process.cpuUsage()
      await run(page, requests)
      const { user, system } = process.cpuUsage(before)
      process.send({ value: (user + system) / requests })
    } catch (error) {
      process.send({ error: error.stack })
    }
  })
  process.send({})
} else {
  const { values: opts } = parseArgs({ options: { quick: { type: 'boolean' } } })
  const rounds = opts.quick ? 15 : 60
  const rows = await measure(rounds)
  console.log(`${stated(about)}: ${rounds} rounds.\n`)
  console.log(table(['on', ...modes.flatMap(mode => Object.keys(pages).map(page => `>${mode}, ${page}`))], rows))
}

async function measure(rounds) {
  const entries = Object.keys(variants).flatMap(name =>
    modes.filter(mode => !variants[name].store || mode === 'store').map(mode => ({ name, mode })),
  )
  for (const entry of entries) {
    entry.child = start(new URL(import.meta.url), [entry.name, entry.mode], { semiSpace: 1 })
    entry.times = Object.fromEntries(Object.keys(pages).map(page => [page, []]))
  }
  try {
    for (const { child } of entries) await child.ready
    for (const { child } of entries) for (const page of Object.keys(pages)) await child.ask(page, 2000)
    for (let round = 0; round < rounds; round++) {
      for (const { child, times } of shuffled(entries)) {
        for (const page of shuffled(Object.keys(pages))) times[page].push(await child.ask(page, 200))
      }
    }
  } finally {
    for (const { child } of entries) child.stop()
  }
  const timesOf = (name, mode, page) => entries.find(one => one.name === name && one.mode === mode)?.times[page]
  const cell = (name, mode, page) => {
    const [bare, off, on] = ['without a session', 'nothing', name].map(one => timesOf(one, mode, page))
    if (!on) return '–'
    const above = on.map((time, n) => time - bare[n])
    if (name === 'nothing') return `${fixed(median(above))} ± ${fixed(noise(above))} µs`
    return fixed(median(above.map((time, n) => time / (off[n] - bare[n]))), 2)
  }
  return Object.keys(variants)
    .filter(name => !variants[name].isBare)
    .map(name => [name, ...modes.flatMap(mode => Object.keys(pages).map(page => cell(name, mode, page)))])
}
