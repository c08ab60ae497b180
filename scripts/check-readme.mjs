/*
 * Compiles the TypeScript in the documents against the built package, and compares the options table of the README
 * with the types and the tables of errors with the codes. It exists because documents go stale in silence.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

const root = join(import.meta.dirname, '..')
const folder = join(root, '.cache', 'readme')
const DOCUMENTS = ['README.md', 'MIGRATING.md', 'docs/clients.md', 'docs/stores/mongodb.md']

/** What a snippet may use without saying where it comes from. */
const PREAMBLE = {
  session: "import session from 'koa-session'",
  Koa: "import Koa from 'koa'",
  app: "declare const app: import('koa')",
  store: "declare const store: import('koa-session').Store",
}

const faults = [...compiled(), ...differences()]
for (const fault of faults) console.error(fault)
console.log(`documents: ${faults.length} faults`)
process.exit(faults.length > 0 ? 1 : 0)

function compiled() {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const files = DOCUMENTS.flatMap(document => snippetsOf(document).map(write))
  if (files.length < 8) return [`only ${files.length} snippets were found`]
  const options = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    types: ['node'],
  }
  // One program for each, because a declaration of the session's data holds for the whole of its program.
  return files.flatMap(file => {
    const program = ts.createProgram([file.path], options)
    const found = ts.getPreEmitDiagnostics(program)
    return found.map(({ messageText }) => `${file.name}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`)
  })
}

function snippetsOf(document) {
  const text = readFileSync(join(root, document), 'utf8')
  return [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map(({ 1: code, index }) => {
    const line = text.slice(0, index).split('\n').length
    return { code, name: `${document}:${line}` }
  })
}

function write({ code, name }) {
  const path = join(folder, `${name.replace(/\W/g, '-')}.mts`)
  const missing = Object.entries(PREAMBLE).filter(([word]) => uses(code, word) && !declares(code, word))
  writeFileSync(path, [...missing.map(([, line]) => line), code, 'export {}'].join('\n'))
  return { path, name }
}

function uses(code, word) {
  return new RegExp(`\\b${word}\\b`).test(code)
}

function declares(code, word) {
  return new RegExp(`(const|import|let) (type )?\\{?\\s*${word}\\b`).test(code)
}

function differences() {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const types = ['CookieOptions', 'CreateSessionOptions'].flatMap(membersOf)
  const codes = [...readFileSync(join(root, 'src/errors.ts'), 'utf8').matchAll(/\| '(ERR_\w+)'/g)].map(
    ([, code]) => code,
  )
  return [...compare('option', rowsOf(readme, 'Options'), types), ...compare('error', rowsOf(readme, 'Errors'), codes)]
}

function membersOf(name) {
  const source = ts.createSourceFile('options.ts', readFileSync(join(root, 'src/options.ts'), 'utf8'), 99)
  const declaration = source.statements.find(
    statement => ts.isInterfaceDeclaration(statement) && statement.name.text === name,
  )
  return declaration.members.map(member => member.name.text)
}

/** The first cells of the table under the heading. */
function rowsOf(text, heading) {
  const section = text.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
  return [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, cell]) => cell)
}

function compare(kind, documented, typed) {
  return [
    ...typed.filter(name => !documented.includes(name)).map(name => `${kind} ${name} is not in the README`),
    ...documented
      .filter(name => !typed.includes(name))
      .map(name => `${kind} ${name} of the README is not in the types`),
  ]
}
