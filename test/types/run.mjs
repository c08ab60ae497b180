// The types, as an application sees them. Each file in cases/ is a program of its own, because a
// declaration (`declare module 'koa-session'`) holds for all of its program. It is compiled against dist/,
// under the name of the package, as an ES module, as CommonJS and for a bundler. What must not compile is
// under @ts-expect-error. `--typescript <path>` names another TypeScript than that of this repository.

import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({ options: { typescript: { type: 'string', default: 'typescript' } } })
const ts = createRequire(import.meta.url)(values.typescript)

const CASES = fileURLToPath(new URL('cases/', import.meta.url))
const DIST = fileURLToPath(new URL('../../dist/', import.meta.url))
const { ESNext, NodeNext } = ts.ModuleKind
const { Bundler } = ts.ModuleResolutionKind

const SHARED = {
  target: ts.ScriptTarget.ES2022,
  strict: true,
  noEmit: true,
  declaration: true,
  types: ['node'],
}
const MODES = [
  { name: 'ES module', extension: '.mts', options: { ...SHARED, module: NodeNext } },
  { name: 'CommonJS', extension: '.cts', options: { ...SHARED, module: NodeNext } },
  {
    name: 'bundler',
    extension: '.ts',
    options: { ...SHARED, module: ESNext, moduleResolution: Bundler, exactOptionalPropertyTypes: true },
  },
]

for (const mode of MODES) {
  // Kept for the mode: to parse the declarations of Node and Koa takes longer than all the rest.
  const parsed = new Map()
  for (const file of readdirSync(CASES)) {
    if (!file.endsWith('.ts') && !file.endsWith(mode.extension)) continue
    const [, needed] = /^\/\/ from TypeScript (\d+\.\d+)/.exec(readFileSync(CASES + file, 'utf8')) ?? []
    // A package that the case is about, not koa-session, needs a newer one.
    if (needed !== undefined && Number(ts.versionMajorMinor) < Number(needed)) {
      console.log(`not for this TypeScript, from ${needed} on: ${file}`)
      continue
    }
    const problems = compile(file, mode, parsed)
    console.log(`${problems ? 'not ok' : 'ok'} - ${mode.name}: ${file}\n${problems}`.trim())
    if (problems) process.exitCode = 1
  }
}

/** What the compiler says of the case and of our declarations; those of other packages are not checked. */
function compile(file, { extension, options }, parsed) {
  const path = CASES + file
  const seenAs = path.replace(/\.[mc]?ts$/, extension)
  const host = hostFor(options, { path, seenAs, parsed })
  const program = ts.createProgram([seenAs], options, host)
  const inDist = program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(DIST))
  if (inDist.length === 0) throw new Error('dist/ is missing: npm run build')
  const sources = [program.getSourceFile(seenAs), ...inDist]
  const problems = [
    ...program.getOptionsDiagnostics(),
    ...program.getGlobalDiagnostics(),
    ...sources.flatMap(source => [
      ...program.getSyntacticDiagnostics(source),
      ...program.getSemanticDiagnostics(source),
    ]),
    ...program.getDeclarationDiagnostics(sources[0]),
  ]
  return ts.formatDiagnostics(problems, host)
}

/** Shows the file at `path` under the name `seenAs`, whose extension decides how it is compiled. */
function hostFor(options, { path, seenAs, parsed }) {
  const host = ts.createCompilerHost(options)
  const real = name => (name === seenAs ? path : name)
  return {
    ...host,
    fileExists: name => host.fileExists(real(name)),
    readFile: name => host.readFile(real(name)),
    getSourceFile(name, target) {
      if (name === seenAs) return ts.createSourceFile(name, host.readFile(path), target)
      if (!parsed.has(name)) parsed.set(name, host.getSourceFile(name, target))
      return parsed.get(name)
    },
  }
}
