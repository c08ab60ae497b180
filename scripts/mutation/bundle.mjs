/*
 * Makes one file of all tables of a folder, beside them: `test/<folder>/mutation.mjs`. It is loaded in a fifth of the
 * time of the files themselves, and every mutant loads it. It has `globalThis.test` in place of node:test.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { build } from 'tsdown'

/** What is no table of this folder: stories over HTTP, and what takes seconds and finds nothing that a table does not. */
const WITHOUT = /^(node-http|custody\.check|forgery)\.test/

const folder = `test/${process.env.MUTATION_FOLDER}`
const files = readdirSync(folder)
  .filter(file => file.endsWith('.test.ts') && !WITHOUT.test(file))
  // Backwards: the tests of `losses.ts` use up the warnings that a process may raise.
  .reverse()
writeFileSync(`${folder}/mutation.ts`, files.map(file => `import './${file}'\n`).join(''))
// Packages stay outside: `originals.ts` knows their functions by the source, which a bundle changes.
const packages = { skipNodeModulesBundle: true }
const output = { config: false, outDir: folder, clean: false, dts: false, report: false, logLevel: 'error' }
await build({
  ...output,
  ...packages,
  entry: [`${folder}/mutation.ts`],
  format: 'esm',
  platform: 'node',
  treeshake: false,
})
const bundle = `${folder}/mutation.mjs`
const code = readFileSync(bundle, 'utf8').replaceAll(/import (\w+) from "node:test";/g, 'const $1 = globalThis.test;')
if (code.includes('"node:test"'))
  throw new Error(`${folder} has a test that no mutant would run: import test from 'node:test'`)
writeFileSync(bundle, code)
