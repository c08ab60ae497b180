/*
 * The page of each store has the same headings, and lists the options that only this store has, with their defaults as the source
 * has them.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { root } from './pages.mjs'

const read = path => readFileSync(join(root, path), 'utf8')

/** What a reader looks for, whichever the store. */
const HEADINGS = ['Setup', 'Example', 'Expiry', 'Grants', 'Several applications', 'Limits', 'When it is down']

/** Where the options of each store are. */
const SOURCES = {
  memory: ['memory'],
  sqlite: ['sql/sql-store'],
  redis: ['redis'],
  postgres: ['sql/sql-store', 'sql/postgres'],
  mysql: ['sql/sql-store'],
  mongodb: ['mongodb'],
  dynamodb: ['dynamodb'],
  kv: ['kv'],
  connect: ['connect'],
}
/** docs/stores/index.md has them. */
const OF_ALL = ['hashIds', 'seal', 'now', 'onEnded', 'onExpired']

export function storePages() {
  const ofAll = { checked: OF_ALL.length, faults: faultsOfAll() }
  const pages = Object.entries(SOURCES).map(([store, files]) => {
    const path = `docs/stores/${store}.md`
    const page = read(path)
    const headings = [...page.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading)
    const sources = files.map(file => ts.createSourceFile(file, read(`src/stores/${file}.ts`), 99, true))
    const options = sources.flatMap(optionsIn).filter(name => !OF_ALL.includes(name))
    const rows = rowsOf(page)
    const faults = [
      ...HEADINGS.filter(heading => !headings.includes(heading)).map(heading => `it has no heading "${heading}"`),
      ...options.filter(name => !rows.has(name)).map(name => `the option ${name} is not in its table`),
      ...[...rows.keys()]
        .filter(name => !options.includes(name) && !OF_ALL.includes(name))
        .map(name => `the store has no option ${name}`),
      ...sources.flatMap(source => wrongDefaults(source, rows)),
    ]
    return { checked: HEADINGS.length + options.length, faults: faults.map(fault => `${path}: ${fault}`) }
  })
  const all = [ofAll, ...pages]
  return { checked: all.reduce((sum, page) => sum + page.checked, 0), faults: all.flatMap(({ faults }) => faults) }
}

function faultsOfAll() {
  const rows = rowsOf(read('docs/stores/index.md'))
  const source = ts.createSourceFile('record-store', read('src/stores/record-store.ts'), 99, true)
  return [
    ...OF_ALL.filter(name => !rows.has(name)).map(name => `the option ${name} is not in its table`),
    ...wrongDefaults(source, rows),
  ].map(fault => `docs/stores/index.md: ${fault}`)
}

function wrongDefaults(source, rows) {
  return defaultsIn(source)
    .filter(([name, value]) => rows.has(name) && meant(rows.get(name)) !== value)
    .map(([name, value]) => `the default of ${name} is ${value}, and it says ${rows.get(name)}`)
}

/** The second cell by the first, in the table of options. */
function rowsOf(page) {
  const table = /^\| option \| default \|.*\n\|[- |]+\|\n((?:\|.*\n)+)/m.exec(page)?.[1] ?? ''
  return new Map([...table.matchAll(/^\| `(\w+)`[^|]*\| *([^|]*?) *\|/gm)].map(([, name, value]) => [name, value]))
}

/** The members of `…StoreOptions`. */
function optionsIn(source) {
  const isOptions = one => ts.isInterfaceDeclaration(one) && /StoreOptions$/.test(one.name.text)
  return source.statements.filter(isOptions).flatMap(({ members }) => members.map(({ name }) => name.text))
}

/** What `const { max = 10_000 } = options` gives, where it is a literal or a constant. */
function defaultsIn(source) {
  const constants = new Map()
  const found = []
  const valueIn = node => constants.get(node.getText()) ?? literalOf(node)
  const visit = node => {
    if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && node.initializer)
      constants.set(node.name.text, literalOf(node.initializer))
    if (ts.isBindingElement(node) && node.initializer)
      found.push([(node.propertyName ?? node.name).getText(), valueIn(node.initializer)])
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found.filter(([, value]) => value !== undefined)
}

function literalOf(node) {
  if (ts.isNumericLiteral(node)) return Number(node.text)
  if (ts.isStringLiteral(node)) return node.text
  return { true: true, false: false, 'Date.now': 'Date.now' }[node.getText()]
}

/** `10,000`, `'sess:'`, `false`, and "15 minutes" in milliseconds. */
function meant(cell) {
  const text = cell.replace(/[`']/g, '')
  const minutes = /^(\d+) minutes$/.exec(text)?.[1]
  if (minutes) return Number(minutes) * 60_000
  if (/^[\d,]+$/.test(text)) return Number(text.replaceAll(',', ''))
  return { true: true, false: false }[text] ?? text
}
