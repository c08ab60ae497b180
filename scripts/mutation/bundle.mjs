/*
 * Makes one file of all tables of a folder, beside them: `test/<folder>/mutation.mjs`. It starts in a tenth of the time
 * of the files themselves, and each mutant is a start.
 */
import { readdirSync, writeFileSync } from 'node:fs'
import { build } from 'tsdown'

/** What is not a table of this folder: stories over HTTP, and what finds no mutant more and takes seconds. */
const WITHOUT = /^(node-http|custody\.check|forgery)\.test/

const [folder] = process.argv.slice(2)
const files = readdirSync(`test/${folder}`)
  .filter(file => file.endsWith('.test.ts') && !WITHOUT.test(file))
  // Backwards: the tests of `losses.ts` use up the warnings that a process may raise.
  .reverse()
writeFileSync(`test/${folder}/mutation.ts`, files.map(file => `import './${file}'\n`).join(''))
await build({
  config: false,
  entry: { mutation: `test/${folder}/mutation.ts` },
  outDir: `test/${folder}`,
  format: 'esm',
  platform: 'node',
  dts: false,
  clean: false,
  treeshake: false,
  report: false,
})
