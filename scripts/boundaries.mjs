/*
 * Checks the arrows between the folders of src/ that must not exist, and the words that must not be used there:
 * the structure of ARCHITECTURE.md, executable. It exists because a wrong import is easy to write and hard to see.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

const source = join(import.meta.dirname, '..', 'src')

/** For each part of the source: what it may not import, and what its code may not contain. */
const RULES = [
  {
    part: /^stores\//,
    imports: /^(koa\/|node\/|request\/|config|options|types|session\/)/,
    words: /\bctx\.|\bdocument\b/,
  },
  { part: /^codec\//, imports: /^(session\/|stores\/|koa\/|node\/|request\/|config|options|types)/, words: /\bctx\b/ },
  {
    part: /^session\//,
    imports: /^(stores\/|codec\/|koa\/|node\/|request\/|config|options|types)|^node:/,
    words: /Date\.now|random|\bctx\b/i,
  },
  { part: /^(?!koa\/|request\/|node\/|options|types|config)/, words: /from 'koa'|app\.emit|setHeader/ },
  // koa/cookies.ts writes the dates that Koa's cookies write, by the clock that they use.
  { part: /^(?!config|stores\/|koa\/cookies|testing\/)/, words: /Date\.now\(|randomUUID/ },
  { part: /^(?!cli\/)/, imports: /^cli\//, words: /\bconsole\.|process\.exit/ },
  // The kit for stores knows of a store what its contract says.
  {
    part: /^testing\//,
    imports: /^(koa\/|node\/|request\/|config|options|types|sealing|session\/|codec\/)/,
    words: /\bctx\./,
  },
  // The command opens what a middleware wrote, without one.
  { part: /^cli\//, imports: /^(koa\/|node\/|request\/|config|options|types|stores\/)/ },
  { part: /^cli\/(?!main)/, words: /\bconsole\.|\bprocess\./ },
  { part: /./, imports: /^index/, words: /(: any\b|as any\b|<any>|any\[\])/ },
]

const CORE_LINES = 3600
const FILE_LINES = 250

const files = readdirSync(source, { recursive: true })
  .map(String)
  .filter(file => file.endsWith('.ts'))
const faults = files.flatMap(file => faultsOf(file, readFileSync(join(source, file), 'utf8')))
const core = files
  .filter(file => !/^(stores|testing|cli)\//.test(file))
  .map(linesOfCode)
  .reduce((sum, lines) => sum + lines, 0)
if (core > CORE_LINES) faults.push(`the core has ${core} lines of code, more than ${CORE_LINES}`)

for (const fault of faults) console.error(fault)
console.log(`boundaries: ${files.length} files, ${core} lines of code in the core, ${faults.length} faults`)
process.exit(faults.length > 0 ? 1 : 0)

function faultsOf(file, text) {
  const code = withoutComments(text)
  const imports = [...code.matchAll(/from '([^']+)'/g)].map(([, name]) => target(file, name))
  const lines = text.split('\n').length - 1
  const faults = RULES.filter(({ part }) => part.test(file)).flatMap(rule => [
    ...imports.filter(name => rule.imports?.test(name)).map(name => `${file} imports ${name}`),
    ...(rule.words?.exec(code)?.slice(0, 1) ?? []).map(word => `${file} contains ${word}`),
  ])
  return lines > FILE_LINES ? [...faults, `${file} has ${lines} lines, more than ${FILE_LINES}`] : faults
}

function target(file, name) {
  return name.startsWith('.') ? relative(source, join(source, dirname(file), name)) : name
}

function withoutComments(text) {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
}

function linesOfCode(file) {
  const code = withoutComments(readFileSync(join(source, file), 'utf8'))
  return code.split('\n').filter(line => line.trim() !== '').length
}
