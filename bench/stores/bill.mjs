/*
 * What each request costs a database: commands and bytes, counted by a proxy in front of it. Of this package it is held
 * to be none for a visitor without a session, one to read it, one more to write one key and nothing but that key.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { fixed, table } from '../markdown.mjs'
import { protocols, startProxy } from './proxy.mjs'
import { startVariant } from './start.mjs'
import { peersOf, variants } from './variants.mjs'
import { get, prove, signIn } from './visitors.mjs'

/** What is written for one key of a 4 KB session has less. */
const BYTES_OF_A_WRITE = 400

/** `commands`: how many there may be here; `beside`: how many more than with a peer on the same backend. */
const cases = {
  'no cookie, untouched': { path: '/untouched', commands: 0 },
  // `ctx.session` is there without waiting, so whoever presents an id has it read before the handler is asked.
  untouched: { path: '/untouched', hasCookie: true, commands: 1 },
  'read one key': { path: '/read', hasCookie: true, commands: 1, beside: 0 },
  'write one key': { path: '/write', hasCookie: true, commands: 2, beside: 0 },
  'rolling, no change': { path: '/read', hasCookie: true, commands: 2, rolling: true },
  // Its lifetime is extended by every request, also by one that does not ask for it.
  'rolling, untouched': { path: '/untouched', hasCookie: true, commands: 2, rolling: true },
  'first visit': { path: '/visit', commands: 1, beside: 0 },
  'sign out': { path: '/out', hasCookie: true, ends: true, commands: 2, beside: 1 },
}

async function countCase(server, proxy, { path, hasCookie, ends }, requests) {
  const one = hasCookie && !ends ? await signIn(server) : ''
  const cookie = async () => (ends ? signIn(server) : one)
  // What was done for the first time is done: a script is known, a table is there, a pool is open.
  for (let request = 0; request < 2; request++) await get(server, path, await cookie())
  const counts = []
  for (let request = 0; request < requests; request++) {
    const brought = await cookie()
    await sleep(20)
    proxy.take()
    await get(server, path, brought)
    // What a store is told after the response counts too.
    await sleep(20)
    counts.push(proxy.take())
  }
  const mean = of => counts.reduce((sum, count) => sum + of(count), 0) / requests
  const commands = counts.map(count => count.commands.join(' + '))
  return {
    commands: mean(count => count.commands.length),
    names: [...new Set(commands)].join(' or '),
    sent: mean(count => count.sent),
    received: mean(count => count.received),
  }
}

async function countVariant(name, { urls, servers, quick }) {
  const { backend } = variants[name]
  const proxy = await startProxy(servers[backend].port, protocols[backend])
  const behind = { ...urls, [backend]: urls[backend].replace(`:${servers[backend].port}`, `:${proxy.port}`) }
  const found = {}
  try {
    for (const rolling of [false, true]) {
      const server = await startVariant(name, { urls: behind, rolling })
      try {
        await prove(server, name)
        for (const [key, one] of Object.entries(cases)) {
          if (Boolean(one.rolling) === rolling) found[key] = await countCase(server, proxy, one, quick ? 2 : 5)
        }
      } finally {
        await server.stop()
      }
    }
  } finally {
    proxy.stop()
  }
  return found
}

function faultsOf(name, results) {
  const found = results[name]
  const faults = []
  const must = (truth, what) => truth || faults.push(`${name}: ${what}`)
  for (const [key, one] of Object.entries(cases)) {
    const { commands } = found[key]
    must(commands === one.commands, `${commands} commands where ${one.commands} should do: ${key}`)
    for (const peer of one.beside === undefined ? [] : peersOf(name, Object.keys(results))) {
      const theirs = results[peer][key].commands
      must(commands <= theirs + one.beside, `${commands} commands beside ${theirs} of ${peer}: ${key}`)
    }
  }
  const bytes = found['write one key'].sent - found['read one key'].sent
  if (variants[name].backend === 'redis') {
    must(bytes < BYTES_OF_A_WRITE, `a write sends ${bytes} bytes, which should be less than ${BYTES_OF_A_WRITE}`)
  }
  return faults
}

export async function measureBill({ names, ...options }) {
  const results = {}
  for (const name of names.filter(one => variants[one].backend in protocols)) {
    results[name] = await countVariant(name, options)
  }
  const ours = Object.keys(results).filter(name => variants[name].isOurs)
  return { results, faults: ours.flatMap(name => faultsOf(name, results)) }
}

export function billTables({ results, faults }) {
  const titles = ['request', 'package, store', '>commands', 'which', '>bytes sent', '>bytes received']
  const rows = Object.keys(cases).flatMap(key =>
    Object.keys(results).map(name => {
      const { commands, names, sent, received } = results[name][key]
      return [key, name, fixed(commands), names, fixed(sent, 0), fixed(received, 0)]
    }),
  )
  const verdict = faults.length > 0 ? faults.map(fault => `✗ ${fault}`) : ['✓ koa-session 8 sends what it should.']
  return [table(titles, rows), ...verdict].join('\n\n')
}
