/*
 * Checks the documents: each snippet compiles against the built package, each program prints what its page says, tables
 * agree with the source, links lead somewhere, sentences are short. It exists because documents go stale in silence.
 *
 * `--only snippets,links` runs some of the checks.
 */
import { parseArgs } from 'node:util'
import { links } from './documents/links.mjs'
import { programs } from './documents/programs.mjs'
import { prose } from './documents/prose.mjs'
import { snippets } from './documents/snippets.mjs'
import { tables } from './documents/tables.mjs'

const CHECKS = { links, tables, prose, snippets, programs }

const { values } = parseArgs({ options: { only: { type: 'string' } } })
const names = values.only?.split(',') ?? Object.keys(CHECKS)

let count = 0
for (const name of names) {
  const { checked, faults } = await CHECKS[name]()
  for (const fault of faults) console.error(fault)
  // A check that has looked at nothing has found nothing.
  const isIdle = checked === 0
  if (isIdle) console.error(`${name}: nothing was checked`)
  console.log(`${name}: ${checked} checked, ${faults.length} faults`)
  count += faults.length + Number(isIdle)
}
console.log(`documents: ${count} faults`)
process.exit(count > 0 ? 1 : 0)
