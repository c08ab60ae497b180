/*
 * Checks the structure of src/ against scripts/boundaries/rules.mjs: which folder imports which, circles of imports, code
 * lines, words. It exists because a wrong import is easy to write and hard to see.
 */
import { join } from 'node:path'
import { check } from './boundaries/check.mjs'
import { rules } from './boundaries/rules.mjs'

const { faults, circles, parts, core } = check(join(import.meta.dirname, '..', 'src'), rules)

const rows = parts.map(({ part, files, lines, budget, imports }) => [
  part,
  String(files),
  String(lines),
  String(budget ?? '–'),
  imports.join(', '),
])
const table = [['folder', 'files', 'code lines', 'budget', 'imports'], ...rows]
const widths = [0, 1, 2, 3, 4].map(column => Math.max(...table.map(row => row[column].length)))
const isNumber = column => column > 0 && column < 4
for (const row of table) {
  const cells = row.map((cell, n) => (isNumber(n) ? cell.padStart(widths[n]) : cell.padEnd(widths[n])))
  console.log(cells.join('  ').trimEnd())
}
console.log(`the core: ${core} of ${rules.coreBudget} code lines`)
const sizes = circles.map(({ length }) => length).join(', ')
console.log(`files in circles: ${sizes || 'none'}; at most ${rules.circles.files}, ${rules.circles.largest} in one`)
for (const fault of faults) console.error(`✗ ${fault}`)
console.log(`boundaries: ${faults.length} faults`)
process.exitCode = faults.length > 0 ? 1 : 0
