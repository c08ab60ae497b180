/* Each block of TypeScript compiles against the built package. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { blocksOf, forUsers, root } from './pages.mjs'

const folder = join(root, '.cache', 'snippets')
/** This page's files belong together: a test of its own runs them. */
const RUN_ELSEWHERE = ['docs/writing-a-store.md']

/** What a snippet may use without saying where it comes from. */
const PREAMBLE = {
  session: "import session from 'koa-session'",
  Koa: "import Koa from 'koa'",
  app: "declare const app: import('koa')",
  store: "declare const store: import('koa-session').Store",
}

export function snippets() {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const documents = forUsers().filter(({ path }) => !RUN_ELSEWHERE.includes(path))
  const blocks = documents.flatMap(blocksOf).filter(({ info }) => /^ts\b/.test(info))
  const files = blocks.map(write)
  const options = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    types: ['node'],
  }
  const cached = sharedFiles(options)
  // One program for each, because a declaration of the session's data holds for the whole of its program.
  const faults = files.flatMap(file => {
    const program = ts.createProgram([file.path], options, cached)
    const found = ts.getPreEmitDiagnostics(program)
    return found.map(({ messageText }) => `${file.name}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`)
  })
  return { checked: files.length, faults }
}

/** Types of packages are read once for all programs. */
function sharedFiles(options) {
  const host = ts.createCompilerHost(options)
  const read = host.getSourceFile
  const known = new Map()
  host.getSourceFile = (name, ...others) => {
    if (!known.has(name)) known.set(name, read(name, ...others))
    return known.get(name)
  }
  return host
}

function write({ code, name }) {
  const path = join(folder, `${name.replace(/\W/g, '-')}.mts`)
  const missing = Object.entries(PREAMBLE).filter(([word]) => uses(code, word) && !declares(code, word))
  writeFileSync(path, [...missing.map(([, line]) => line), code, 'export {}'].join('\n'))
  return { path, name }
}

function uses(code, word) {
  return new RegExp(`(?<![.'\`/-])\\b${word}\\b`).test(code)
}

function declares(code, word) {
  return new RegExp(`(const|import|let|declare const) (type )?\\{?[^=\\n'"]*\\b${word}\\b`).test(code)
}
