/*
 * The code of the page on writing stores: it is of the types that it says, and its tests pass where they run as those of
 * an application would.
 */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const page = readFileSync(join(root, 'docs/writing-a-store.md'), 'utf8')
const files = [...page.matchAll(/```ts\n\/\/ (\S+)\n([\s\S]*?)```/g)]

mkdirSync(join(root, '.cache'), { recursive: true })
const folder = mkdtempSync(join(root, '.cache', 'page-'))
test.after(() => rmSync(folder, { recursive: true }))
for (const [, name = '', code = ''] of files) writeFileSync(join(folder, name), code)

function run(...given: readonly string[]) {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const TSX_TSCONFIG_PATH = join(root, env.TSX_TSCONFIG_PATH ?? 'tsconfig.json')
  return spawnSync(process.execPath, given, { cwd: folder, env: { ...env, TSX_TSCONFIG_PATH }, encoding: 'utf8' })
}

test('every block of code of the page is in a file', () => {
  assert.equal(files.length, page.match(/```ts/g)?.length)
})

test('its code compiles', () => {
  const compilerOptions = {
    paths: {} as Record<string, string[]>,
    types: ['node'],
    typeRoots: ['../../node_modules/@types'],
  }
  for (const [name, path] of [
    ['', 'index'],
    ['/memory', 'stores/memory'],
    ['/testing', 'testing/index'],
  ]) {
    compilerOptions.paths[`koa-session${name}`] = [`../../src/${path}.ts`]
  }
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: '../../tsconfig.json', compilerOptions, include: ['.'], exclude: [] }),
  )
  const { stdout } = run(createRequire(import.meta.url).resolve('typescript/bin/tsc'), '-p', '.')
  assert.equal(
    stdout
      .split('\n')
      .filter(line => !line.startsWith('../'))
      .join('\n'),
    '',
  )
})

for (const [name, least] of [
  ['tiny-store', 120],
  ['three-methods', 25],
  ['application', 1],
] as const) {
  test(`${name}.test.ts passes under node:test`, () => {
    const { status, stdout, stderr } = run('--import', 'tsx', '--test', '--test-reporter', 'tap', `${name}.test.ts`)
    assert.equal(status, 0, stdout + stderr)
    assert.match(stdout, /^# fail 0$/m)
    assert.match(stdout, /^# skipped 0$/m)
    const passed = Number(/^# pass (\d+)$/m.exec(stdout)?.[1])
    assert.ok(passed >= least, `${passed} tests passed, expected at least ${least}`)
  })
}
