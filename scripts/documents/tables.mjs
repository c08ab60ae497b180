/*
 * What the documents list is what the source has: options and their defaults, those of stores too, errors, events and what they
 * carry, process warnings, what a session has, entry points.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { root } from './pages.mjs'
import { storePages } from './store-pages.mjs'

const read = path => readFileSync(join(root, path), 'utf8')

export function tables() {
  const options = ['CookieOptions', 'CreateSessionOptions'].flatMap(membersOf)
  const codes = [...read('src/errors.ts').matchAll(/\| '(ERR_\w+)'/g)].map(([, code]) => code)
  const events = namesOf(read('src/koa/events.ts'), /`(session:\w+)`/g)
  const { exports } = JSON.parse(read('package.json'))
  const entries = Object.keys(exports).filter(name => name !== '.' && name !== './package.json')
  const [onOptions, onEvents] = [read('docs/options.md'), read('docs/events-and-errors.md')]
  const [reasons, ends] = [wordsOf('session/model', 'Reason'), wordsOf('request/exchange', 'EndReason')]
  const members = membersOfSession()
  const warnings = namesOf(sourceText(), /['`](KOA_SESSION_\w+)['`](?=,|\s*$)/gm).filter(
    code => !ENVIRONMENT.includes(code),
  )
  const defaults = [...defaultsInSource(), ...defaultsInComments()]
  const faults = [
    ...compare('docs/options.md: option', headingsOf(onOptions), options),
    ...defaults.map(([name, value]) => wrongDefault(onOptions, name, value)).filter(Boolean),
    ...options
      .filter(
        name => !defaults.some(([other]) => other === name) && !/by default/i.test(partOf(onOptions, `\`${name}\``)),
      )
      .map(name => `docs/options.md: it does not say what ${name} is by default`),
    ...argumentsOf(read('src/koa/events.ts').replaceAll(/^ \* /gm, ''))
      .map(([name, carried]) => wrongArgument(argumentsOf(onEvents), name, carried))
      .filter(Boolean),
    ...compare('docs/events-and-errors.md: warning', rowsOf(onEvents, /^KOA_/), warnings),
    ...compare('docs/events-and-errors.md: error', headingsOf(onEvents, /^ERR_/), codes),
    ...compare('docs/events-and-errors.md: event', rowsOf(onEvents, /^session:/), events),
    ...compare('docs/events-and-errors.md: reason', rowsOf(partOf(onEvents, 'Reasons'), /./), reasons),
    ...compare('docs/events-and-errors.md: reason of session:ended', endsIn(onEvents), ends),
    ...compare('docs/session-api.md: member', membersIn(read('docs/session-api.md')), members),
    ...compare(
      'docs/index.md: entry',
      rowsOf(read('docs/index.md'), /^koa-session\//),
      entries.map(name => `koa-session/${name.slice(2)}`),
    ),
    ...entries.flatMap(name => notExported(name.slice(2))),
    ...options
      .filter(name => !partOf(onOptions, `\`${name}\``).includes('```ts'))
      .map(name => `docs/options.md: ${name} has no example`),
  ]
  const all = [options, defaults, codes, events, events, warnings, reasons, ends, members, entries]
  const ofStores = storePages()
  const checked = all.reduce((sum, { length }) => sum + length, ofStores.checked)
  return { checked, faults: [...faults, ...ofStores.faults] }
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

/** What is said under a heading. */
function partOf(text, heading) {
  return text.split(new RegExp(`^#+ ${heading}$`, 'm'))[1]?.split(/^#/m)[0] ?? ''
}

/** The words of `type Name = 'one' | 'other'`. */
function wordsOf(file, name) {
  const [, union] = new RegExp(`export type ${name} =([^\\n]*(?:\\n +\\|.*)*)`).exec(read(`src/${file}.ts`)) ?? []
  return namesOf(union ?? '', /'([\w-]+)'/g)
}

/** The reasons in the row of `session:ended`, each with its meaning behind it. */
function endsIn(onEvents) {
  return namesOf(/^\| `session:ended`.*$/m.exec(onEvents)?.[0] ?? '', /`([\w-]+)` \(/g)
}

/** What is public of the class behind `ctx.session`, but for `commit`, which only code of koa-session 7 calls. */
function membersOfSession() {
  const source = ts.createSourceFile('session.ts', read('src/session/session.ts'), 99, true)
  const { members } = source.statements.find(one => ts.isClassDeclaration(one) && one.name.text === 'Session')
  const isPublic = one => one.name && ts.isIdentifier(one.name) && one.name.text !== 'commit' && !isStatic(one)
  return [...new Set(members.filter(isPublic).map(({ name }) => name.text))]
}

const isStatic = ({ modifiers = [] }) => modifiers.some(({ kind }) => kind === ts.SyntaxKind.StaticKeyword)

function membersIn(page) {
  const rows = [...rowsOf(partOf(page, 'Properties'), /./), ...rowsOf(partOf(page, 'Methods'), /./)]
  return rows.map(name => name.replace(/\(.*/, ''))
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

/** Variables of the environment that the command reads. */
const ENVIRONMENT = ['KOA_SESSION_KEYS', 'KOA_SESSION_SEAL', 'KOA_SESSION_STORE']

function sourceText() {
  const files = readdirSync(join(root, 'src'), { recursive: true }).filter(file => file.endsWith('.ts'))
  return files.map(file => read(join('src', file))).join('\n')
}

/** The defaults that `resolveConfig` gives as a literal, and those of the cookie, in the words of the page. */
function defaultsInSource() {
  const source = ts.createSourceFile('config.ts', read('src/config.ts'), 99, true)
  const found = []
  const visit = node => {
    if (ts.isPropertyAssignment(node) && isDefault(node)) found.push([node.name.text, wordsFor(node.initializer)])
    ts.forEachChild(node, visit)
  }
  const isMaker = node => ts.isFunctionDeclaration(node) && ['resolveConfig', 'cookieOptions'].includes(node.name.text)
  source.statements.filter(isMaker).forEach(visit)
  // What stands first is the default; what follows replaces it in some cases.
  return found.filter(([name], at) => found.findIndex(([other]) => other === name) === at)
}

const isDefault = ({ initializer }) =>
  ts.isLiteralExpression(initializer) ||
  initializer.kind === ts.SyntaxKind.TrueKeyword ||
  initializer.kind === ts.SyntaxKind.FalseKeyword ||
  initializer.getText() === 'ONE_DAY'

const wordsFor = initializer => (initializer.getText() === 'ONE_DAY' ? 'one day' : initializer.getText())

/** The section of an option has its default: "`true` by default", "5000 by default", "One day by default". */
function wrongDefault(page, name, value) {
  const section = page.split(`### \`${name}\`\n`)[1]?.split(/^##/m)[0] ?? ''
  const said = /(`[^`]+`|one day|\d+),? (?:\(the default\)|(?:is )?by default)|(`[^`]+`) \(the default\)/i.exec(section)
  const text = (said?.[1] ?? said?.[2] ?? 'nothing').replaceAll('`', '').toLowerCase()
  return text.replaceAll("'", '') === value.toLowerCase().replaceAll("'", '')
    ? undefined
    : `docs/options.md: the default of ${name} is ${value}, and it says ${text}`
}

/** Those that the doc comments of options say as code, a number or "one day". */
function defaultsInComments() {
  const source = ts.createSourceFile('options.ts', read('src/options.ts'), 99, true)
  const members = source.statements.filter(ts.isInterfaceDeclaration).flatMap(({ members }) => [...members])
  return members.flatMap(member => {
    const comment = ts.getJSDocCommentsAndTags(member).map(({ comment }) => String(comment))
    const [, said] = /Default (`[^`]+`|one day|[\d,]+)/.exec(comment.join(' ').replace(/\s+/g, ' ')) ?? []
    return said ? [[member.name.text, said.replace(/[`,]/g, '')]] : []
  })
}

/** The functions that docs/index.md says an entry has, and that it does not export. */
function notExported(entry) {
  const row = new RegExp(`^\\| \`koa-session/${entry}\` \\|.*$`, 'm').exec(read('docs/index.md'))?.[0] ?? ''
  const [path] = JSON.parse(read('tsconfig.json')).compilerOptions.paths[`koa-session/${entry}`]
  const exported = name => new RegExp(`export (async )?(function ${name}\\b|{[^}]*\\b${name}\\b)`).test(read(path))
  return namesOf(row, /`(\w+)\(\)`/g)
    .filter(name => !exported(name))
    .map(name => `docs/index.md: ${name}() is no export of koa-session/${entry}`)
}

/** What each event carries, by its name: rows as "| `session:gone` | `{ keys, ctx }` |". */
function argumentsOf(text) {
  return [...text.matchAll(/^\| (`session:[^|]+) \| `(\{[^}]+\})`/gm)].flatMap(([, names, carried]) =>
    namesOf(names, /`(session:\w+)`/g).map(name => [name, carried]),
  )
}

function wrongArgument(documented, name, carried) {
  const said = documented.find(([other]) => other === name)?.[1]
  return said === carried ? undefined : `docs/events-and-errors.md: ${name} carries ${carried}, and it says ${said}`
}
