/* The script that checks the structure of src/, on small trees that break one rule each. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { check } from '../../scripts/boundaries/check.mjs'
import { circlesOf } from '../../scripts/boundaries/circles.mjs'
import { importsOf } from '../../scripts/boundaries/imports.mjs'
import { rules } from '../../scripts/boundaries/rules.mjs'

/** The rules themselves, without what is still tolerated. */
const strict = { ...rules, still: [], circles: { files: 0, largest: 0 } }

function checked(t, files, changed = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'koa-session-boundaries-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), text)
  }
  return check(folder, { ...strict, ...changed })
}

const GOOD = {
  'index.ts': `export { a } from './koa/a.ts'\n`,
  'warnings.ts': '',
  'errors.ts': '',
  'koa/a.ts': `import type { Context } from 'koa'\nimport { b } from '../node/b.ts'\nimport { c } from '../request/c.ts'\n`,
  'node/b.ts': `import 'node:http'\nimport { c } from '../request/c.ts'\n`,
  'request/c.ts': `import { d } from '../session/d.ts'\nimport type { Store } from '../stores/store.ts'\n`,
  'session/d.ts': `// ctx and random in a comment\nimport '../errors.ts'\nimport '../warnings.ts'\n`,
  'codec/e.ts': `import 'node:crypto'\n`,
  'stores/store.ts': '',
  'stores/f.ts': `import '../codec/e.ts'\nimport './store.ts'\n`,
  'testing/g.ts': `import '../stores/store.ts'\n`,
  'cli/h.ts': `import '../codec/e.ts'\nimport '../request/c.ts'\n`,
}

test('a tree that keeps the rules has no faults, and says of each folder what is in it', t => {
  const { faults, circles, parts, core } = checked(t, GOOD)
  assert.deepEqual(faults, [])
  assert.deepEqual(circles, [])
  assert.deepEqual(
    parts.find(({ part }) => part === 'request'),
    { part: 'request', files: 1, lines: 2, budget: rules.budgets.request, imports: ['session', 'stores/store'] },
  )
  assert.equal(core, 11)
})

const ARROWS = {
  'session/d.ts': [`import { a } from '../koa/a.ts'`, `export * from '../codec/e.ts'`, `import 'node:fs'`],
  'codec/e.ts': [
    `type D = import('../session/d.ts').D`,
    `import type { D } from '../session/d.ts'`,
    `import 'node:fs'`,
  ],
  'request/c.ts': [
    `import type { A } from '../koa/a.ts'`,
    `import { b } from '../node/b.ts'`,
    `const f = await import('../stores/f.ts')`,
    `import { keyed } from '../stores/store.ts'`,
    `import { type Store, keyed } from '../stores/store.ts'`,
    `import type { Context } from 'koa'`,
    `import 'node:http'`,
  ],
  'node/b.ts': [`import '../koa/a.ts'`, `import { d } from '../session/d.ts'`, `import 'koa'`],
  'stores/f.ts': [`import '../session/d.ts'`, `import type { C } from '../request/c.ts'`, `import 'redis'`],
  'stores/store.ts': [`import type { F } from './f.ts'`],
  'testing/g.ts': [`import '../stores/f.ts'`, `import '../codec/e.ts'`],
  'cli/h.ts': [`import '../koa/a.ts'`, `import '../stores/store.ts'`],
  'koa/a.ts': [`import '../stores/f.ts'`, `import '../cli/h.ts'`, `import '../index.ts'`, `import './nope.ts'`],
  'index.ts': [`import './codec/e.ts'`],
  'errors.ts': [`import './session/d.ts'`],
}
for (const [file, lines] of Object.entries(ARROWS)) {
  for (const line of lines) {
    test(`in ${file}: ${line}`, t => {
      const { faults } = checked(t, { ...GOOD, [file]: `${line}\n` })
      assert.ok(
        faults.some(fault => fault.startsWith(`${file} imports `)),
        faults.join('\n'),
      )
    })
  }
}

test('what is tolerated is no fault, and is to be taken out of the rules when it is gone', t => {
  const tolerated = { still: ['session/d.ts > codec/e.ts'] }
  assert.deepEqual(checked(t, { ...GOOD, 'session/d.ts': `import '../codec/e.ts'\n` }, tolerated).faults, [])
  assert.deepEqual(checked(t, GOOD, tolerated).faults, ['session/d.ts > codec/e.ts is gone: take it out of the rules'])
})

test('a circle is a fault, inside of a folder and by types alone too, and more than is tolerated', t => {
  const files = {
    ...GOOD,
    'session/d.ts': `import type { X } from './x.ts'\n`,
    'session/x.ts': `export type { Y } from './y.ts'\n`,
    'session/y.ts': `type D = import('./d.ts').D\n`,
  }
  const fault = 'these import each other in a circle: session/d.ts, session/x.ts, session/y.ts'
  assert.deepEqual(checked(t, files).faults, [fault])
  assert.deepEqual(checked(t, files, { circles: { files: 3, largest: 2 } }).faults, [fault])
  assert.deepEqual(checked(t, files, { circles: { files: 2, largest: 3 } }).faults, [fault])
  assert.deepEqual(checked(t, files, { circles: { files: 3, largest: 3 } }).faults, [])
})

test('circles are found apart from each other, and what leads to them is none', () => {
  const graph = { a: ['b'], b: ['c', 'd'], c: ['b'], d: ['e'], e: ['f', 'g'], f: ['d'], g: [], h: ['h'] }
  assert.deepEqual(circlesOf(new Map(Object.entries(graph))), [['d', 'e', 'f'], ['b', 'c'], ['h']])
})

test('a folder over its budget is a fault, and so is the core; blank lines and comments are free', t => {
  const text = `/* one\n two */\n\nexport const a = 1 // three\n// four\nexport const b = 2\n`
  const files = { ...GOOD, 'codec/e.ts': text }
  assert.deepEqual(checked(t, files, { budgets: { ...rules.budgets, codec: 2 } }).faults, [])
  assert.deepEqual(checked(t, files, { budgets: { ...rules.budgets, codec: 1 } }).faults, [
    'codec has 2 code lines, more than its budget of 1',
  ])
  assert.deepEqual(checked(t, files, { coreBudget: 11 }).faults, ['the core has 12 code lines, more than 11'])
})

test('a file may have so many lines, and a word where it may be', t => {
  const faultsOf = files => checked(t, { ...GOOD, ...files }).faults
  assert.deepEqual(faultsOf({ 'codec/e.ts': '\n'.repeat(250) }), [])
  assert.deepEqual(faultsOf({ 'codec/e.ts': '\n'.repeat(251) }), ['codec/e.ts has 251 lines, more than 250'])
  assert.deepEqual(faultsOf({ 'session/d.ts': 'Date.now()\n' }).slice(0, 1), ['session/d.ts contains Date.now'])
  assert.deepEqual(faultsOf({ 'request/c.ts': 'ctx.cookies\n' }), ['request/c.ts contains ctx.'])
  assert.deepEqual(faultsOf({ 'errors.ts': 'let x: any\n' }), ['errors.ts contains : any'])
  assert.deepEqual(faultsOf({ 'nowhere/x.ts': '' }), ['nowhere/x.ts is in no part that has rules'])
})

test('each form of an import is read, and what only looks like one is not', () => {
  const forms = [
    [`import 'a'`, 'a', false],
    [`import a from 'a'`, 'a', false],
    [`import type a from 'a'`, 'a', true],
    [`import * as a from 'a'`, 'a', false],
    [`import { type A, type B } from 'a'`, 'a', true],
    [`import { type A, b } from 'a'`, 'a', false],
    [`import {} from 'a'`, 'a', false],
    [`import a, { type A } from 'a'`, 'a', false],
    [`export * from 'a'`, 'a', false],
    [`export type { A } from 'a'`, 'a', true],
    [`export { type A } from 'a'`, 'a', true],
    [`export { a } from 'a'`, 'a', false],
    [`function f(a: typeof import('a')) {}`, 'a', true],
    ['await import(`a`)', 'a', false],
    [`const a = require('a')`, 'a', false],
    [`import a = require('a')`, 'a', false],
  ]
  for (const [text, name, isType] of forms) assert.deepEqual(importsOf('x.ts', text), [{ name, isType }], text)
  for (const text of [`// from 'a'`, `const text = "import 'a'"`, 'export const a = 1', `declare module 'a' {}`]) {
    assert.deepEqual(importsOf('x.ts', text), [], text)
  }
})
