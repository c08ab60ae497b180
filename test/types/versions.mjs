/*
 * Compiles the cases with each TypeScript that is supported. The newest one has no interface for programs: there the
 * command compiles copies of the cases, under the names that decide how they are compiled.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { check, npmInstall, ROOT, report } from '../consumers/installed.mjs'

const BY_PROGRAM = ['5.0.4', '5.4.5', '5.9.3', '6.0.3']
const BY_COMMAND = ['7.0.2']
const MODES = [
  { name: 'ES module', extension: '.mts', options: { module: 'nodenext' } },
  { name: 'CommonJS', extension: '.cts', options: { module: 'nodenext' } },
  {
    name: 'bundler',
    extension: '.ts',
    options: { module: 'esnext', moduleResolution: 'bundler', exactOptionalPropertyTypes: true },
  },
]

const CASES = join(ROOT, 'test/types/cases')
// Below the repository, so that the cases find the package by its name and what they import.
const folder = join(ROOT, '.cache', 'typescript')
const compilers = join(folder, 'node_modules')

mkdirSync(folder, { recursive: true })
const dependencies = Object.fromEntries(
  [...BY_PROGRAM, ...BY_COMMAND].map(version => [`v${version}`, `npm:typescript@${version}`]),
)
writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }))
npmInstall(folder)

for (const version of BY_PROGRAM) {
  await check(`TypeScript ${version}`, () => {
    node('test/types/run.mjs', '--typescript', join(compilers, `v${version}`))
  })
}
for (const version of BY_COMMAND) {
  for (const mode of MODES) await check(`TypeScript ${version}, ${mode.name}`, () => compile(version, mode))
}
report()

function compile(version, { name, extension, options }) {
  const place = join(ROOT, '.cache', 'types', name.replace(' ', '-'))
  rmSync(place, { recursive: true, force: true })
  mkdirSync(place, { recursive: true })
  const files = readdirSync(CASES).filter(file => file.endsWith('.ts') || file.endsWith(extension))
  for (const file of files) {
    const seenAs = file.replace(/\.[mc]?ts$/, extension)
    writeFileSync(join(place, seenAs), readFileSync(join(CASES, file)))
    const compilerOptions = {
      target: 'es2022',
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      types: ['node'],
      ...options,
    }
    // A program each, as a declaration of the session's data holds for all of its program.
    writeFileSync(join(place, `${file}.json`), JSON.stringify({ compilerOptions, files: [seenAs] }))
    node(join(compilers, `v${version}`, 'bin/tsc'), '-p', join(place, `${file}.json`))
  }
}

function node(...parameters) {
  const { status, stdout } = spawnSync(process.execPath, parameters, { cwd: ROOT, encoding: 'utf8' })
  const faults = stdout.split('\n').filter(line => !line.startsWith('ok '))
  if (status !== 0) throw new Error(faults.join('\n'))
}
