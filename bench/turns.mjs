/*
 * Has the variants take turns, each in a process of its own. Absolute times say little on shared machines, so
 * only differences within a round count; and identical code was seen to differ by a factor of two from one
 * process to the next, so the processes are started several times.
 */

import { existsSync } from 'node:fs'
import { start } from './process.mjs'
import { shuffled } from './statistics.mjs'

export const names = ['bare', '7.0.2', '8']
const namesOf = entry => entry.names ?? names
const program = new URL('./child.mjs', import.meta.url)
const execArgv = ['--expose-gc', '--max-old-space-size=4096']

/*
 * Measures `what` ('times' or another command of child.mjs) of every entry { key, mode, group, names }. Entries of one
 * group share a process per variant; `names` are the variants, where they are not the usual three. The samples are in
 * `entry[what][name]`, a list for each start; what a process tells of its preparation is in `entry.facts[name]`.
 */
export async function takeTurns(entries, what, plan) {
  if (!existsSync(new URL('../dist/memory.mjs', import.meta.url))) {
    throw new Error('nothing to measure: run `npm run build` first')
  }
  for (const entry of entries) {
    entry[what] ??= Object.fromEntries(namesOf(entry).map(name => [name, []]))
    entry.facts ??= {}
  }
  let rounds = 0
  for (let i = 0; i < plan.starts; i++) rounds += await oneStart(entries, what, plan)
  return rounds
}

async function oneStart(entries, what, plan) {
  const { seconds, warmUp, requests, leastRounds = 5, variantOf = name => name } = plan
  const children = {}
  const childOf = (name, { group = '' }) => children[`${name} ${group}`]
  const round = async (command, count, record) => {
    for (const entry of shuffled(entries)) {
      for (const name of shuffled(namesOf(entry))) {
        const share = Math.ceil(count * (entry.share ?? 1))
        record(entry, name, await childOf(name, entry).ask(command, entry.key, entry.mode, share))
      }
    }
  }
  try {
    for (const entry of entries) {
      for (const name of namesOf(entry))
        children[`${name} ${entry.group ?? ''}`] ??= start(program, [variantOf(name), plan.source], {
          semiSpace: plan.semiSpace,
          execArgv,
        })
    }
    await Promise.all(Object.values(children).map(one => one.ready))
    await round('prepare', warmUp, (entry, name, facts) => (entry.facts[name] = facts))
    for (const entry of entries) for (const name of namesOf(entry)) entry[what][name].push([])
    const deadline = Date.now() + seconds * 1000
    let rounds = 0
    for (; rounds < leastRounds || Date.now() < deadline; rounds++) {
      await round(what, requests, (entry, name, value) => entry[what][name].at(-1).push(value))
    }
    return rounds
  } finally {
    for (const one of Object.values(children)) one.stop()
  }
}
