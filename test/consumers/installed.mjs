/*
 * An application's folder, with the package as npm would bring it: packed, and installed from its tarball, beside what the
 * application needs. Each version is pinned by who calls, and none of it is a dependency of this repository.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** What all of them need. */
const KOA = { koa: '3.3.0' }

/** Runs `use(folder)` with a temporary folder that has a tarball of the package, `koa-session.tgz`. */
export async function withPackage(use) {
  if (!existsSync(join(ROOT, 'dist/index.mjs'))) throw new Error('dist/ is missing: npm run build')
  const folder = mkdtempSync(join(tmpdir(), 'koa-session-consumers-'))
  try {
    const parameters = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder]
    const [{ filename }] = JSON.parse(execFileSync('npm', parameters, { cwd: ROOT, encoding: 'utf8', stdio: 'pipe' }))
    execFileSync('mv', [join(folder, filename), join(folder, 'koa-session.tgz')])
    return await use(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Writes the package.json of an application in `folder`, whose tarball is `tarball`. */
export function describe(folder, { tarball, dependencies, ...rest }) {
  const all = { 'koa-session': `file:${tarball}`, ...KOA, ...dependencies }
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ private: true, type: 'module', dependencies: all, ...rest }),
  )
}

export function npmInstall(folder) {
  run('npm', ['install', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error'], { cwd: folder })
}

/** What the command printed. Rejects with it where it fails. */
export function run(command, parameters, { cwd, env = {} }) {
  try {
    const options = { cwd, env: { ...process.env, ...env }, encoding: 'utf8', stdio: 'pipe', timeout: 300_000 }
    return execFileSync(command, parameters, options)
  } catch (error) {
    throw new Error(`${command} ${parameters.join(' ')}: ${error.message}\n${error.stdout ?? ''}${error.stderr ?? ''}`)
  }
}

/** Prints how `use` went, and counts it: a line that the gate reads at the end, by `report`. */
const results = { pass: 0, fail: 0 }
export async function check(title, use) {
  const begun = performance.now()
  try {
    await use()
    results.pass++
    console.log(`ok - ${title} (${((performance.now() - begun) / 1000).toFixed(1)} s)`)
  } catch (error) {
    results.fail++
    console.log(
      `not ok - ${title}\n    ${String(error.stack ?? error)
        .slice(-6000)
        .replace(/\n/g, '\n    ')}`,
    )
  }
}

/** Prints the counts. Without a single check that passed, something is wrong as well. */
export function report() {
  for (const [word, count] of Object.entries({ ...results, cancelled: 0, skipped: 0, todo: 0 }))
    console.log(`# ${word} ${count}`)
  process.exitCode = results.fail > 0 || results.pass === 0 ? 1 : 0
}
