/* What the documents list is what the source has: options, errors, events, entry points. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { root } from './pages.mjs'

const read = path => readFileSync(join(root, path), 'utf8')

export function tables() {
  const options = ['CookieOptions', 'CreateSessionOptions'].flatMap(membersOf)
  const codes = [...read('src/errors.ts').matchAll(/\| '(ERR_\w+)'/g)].map(([, code]) => code)
  const events = namesOf(read('src/koa/events.ts'), /`(session:\w+)`/g)
  const { exports } = JSON.parse(read('package.json'))
  const entries = Object.keys(exports).filter(name => name !== '.' && name !== './package.json')
  const [onOptions, onEvents] = [read('docs/options.md'), read('docs/events-and-errors.md')]
  const faults = [
    ...compare('docs/options.md: option', headingsOf(onOptions), options),
    ...compare('docs/events-and-errors.md: error', headingsOf(onEvents, /^ERR_/), codes),
    ...compare('docs/events-and-errors.md: event', rowsOf(onEvents, /^session:/), events),
    ...entries
      .map(name => `koa-session/${name.slice(2)}`)
      .filter(name => !read('docs/index.md').includes(`\`${name}\``))
      .map(name => `docs/index.md: the entry ${name} is not in it`),
  ]
  return { checked: options.length + codes.length + events.length + entries.length, faults }
}

function membersOf(name) {
  const source = ts.createSourceFile('options.ts', read('src/options.ts'), 99)
  const declaration = source.statements.find(
    statement => ts.isInterfaceDeclaration(statement) && statement.name.text === name,
  )
  return declaration.members.map(member => member.name.text)
}

function namesOf(text, pattern) {
  return [...new Set([...text.matchAll(pattern)].map(([, name]) => name))]
}

/** The headings that are one name in code. */
function headingsOf(text, pattern = /./) {
  return namesOf(text, /^#{2,4} `([\w:]+)`$/gm).filter(name => pattern.test(name))
}

/** The first cells of rows of tables, as rendered: a row that stands outside of a table is none. */
function rowsOf(text, pattern) {
  const rows = []
  let isTable = false
  for (const line of text.split('\n')) {
    if (!line.startsWith('|')) isTable = false
    else if (/^\|[\s:|-]+\|$/.test(line)) isTable = true
    else if (isTable) rows.push(/^\| `([^`]+)`/.exec(line)?.[1])
  }
  return rows.filter(name => name && pattern.test(name))
}

function compare(where, documented, typed) {
  const twice = documented.filter((name, at) => documented.indexOf(name) !== at)
  return [
    ...typed.filter(name => !documented.includes(name)).map(name => `${where} ${name} is missing`),
    ...documented.filter(name => !typed.includes(name)).map(name => `${where} ${name} is not in the source`),
    ...twice.map(name => `${where} ${name} stands there twice`),
  ]
}
