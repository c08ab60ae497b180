/*
 * Uses the package as applications do that are not in this repository: installed by each package manager, bundled by each
 * bundler, tested by the test runners of others. It exists because each of them reads package.json in its own way.
 * Words choose: `node test/consumers/run.mjs rollup pnpm`.
 */
import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { check, describe, npmInstall, ROOT, report, run, withPackage } from './installed.mjs'

const MANAGERS = { pnpm: '12.21.0', yarn: '4.18.1' }
const TOOLS = {
  esbuild: '0.28.2',
  webpack: '5.113.0',
  rollup: '4.68.8',
  '@rollup/plugin-node-resolve': '16.0.3',
  '@rollup/plugin-commonjs': '29.0.3',
  '@rollup/plugin-json': '6.1.0',
  jest: '30.5.2',
  // The last one for Node 20.
  vitest: '4.0.14',
}
const PROGRAMS = join(ROOT, 'test/consumers/programs')
/** The five seconds that jest and vitest give to a test are not enough on a machine that does much else. */
const PATIENT = '--testTimeout=60000'
const words = process.argv.slice(2)
const isAsked = name => words.length === 0 || words.some(word => name.includes(word))

await withPackage(async folder => {
  const tarball = join(folder, 'koa-session.tgz')
  const application = (name, rest) => {
    const place = join(folder, name)
    mkdirSync(place)
    for (const file of readdirSync(PROGRAMS)) cpSync(join(PROGRAMS, file), join(place, file))
    describe(place, { tarball, dependencies: {}, ...rest })
    return place
  }
  const counts = (place, file) => {
    const printed = run(process.execPath, [file], { cwd: place })
    if (printed.trim() !== 'counts 1 2 3') throw new Error(`${file} printed: ${printed}`)
  }
  const smoke = (name, use) => (isAsked(name) ? check(name, use) : undefined)

  await smoke('npm', () => {
    const place = application('npm')
    npmInstall(place)
    for (const file of ['count.mjs', 'count.cjs']) counts(place, file)
  })
  for (const [manager, version] of Object.entries(MANAGERS)) {
    await smoke(`${manager} ${version}`, () => {
      const home = join(folder, `with-${manager}`)
      mkdirSync(home)
      const name = manager === 'yarn' ? '@yarnpkg/cli-dist' : manager
      writeFileSync(join(home, 'package.json'), JSON.stringify({ private: true, dependencies: { [name]: version } }))
      npmInstall(home)
      const bin = join(home, 'node_modules/.bin', manager)
      const place = application(manager)
      const env = { CI: '', YARN_NODE_LINKER: 'pnp', YARN_ENABLE_TELEMETRY: '0', YARN_ENABLE_GLOBAL_CACHE: 'false' }
      run(bin, ['install'], { cwd: place, env })
      for (const file of ['count.mjs', 'count.cjs']) {
        // Yarn has no node_modules: its own loader finds the packages.
        if (manager === 'pnpm') counts(place, file)
        else if (!run(bin, ['node', file], { cwd: place, env }).includes('counts 1 2 3')) throw new Error(file)
      }
    })
  }

  const place = application('tools', { dependencies: TOOLS })
  npmInstall(place)
  const bin = name => join(place, 'node_modules/.bin', name)

  await smoke(`esbuild ${TOOLS.esbuild}`, () => {
    for (const format of ['esm', 'cjs']) {
      const file = `out-esbuild.${format === 'esm' ? 'mjs' : 'cjs'}`
      const banner =
        "--banner:js=import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);"
      const more = format === 'esm' ? [banner] : []
      run(
        bin('esbuild'),
        ['count.mjs', '--bundle', '--platform=node', `--format=${format}`, `--outfile=${file}`, ...more],
        { cwd: place },
      )
      counts(place, file)
    }
  })
  await smoke(`webpack ${TOOLS.webpack}`, () => {
    for (const file of ['count.mjs', 'count.cjs']) {
      run(process.execPath, ['webpack.cjs', `./${file}`], { cwd: place })
      counts(place, 'out/webpack.cjs')
    }
  })
  await smoke(`rollup ${TOOLS.rollup}`, () => {
    run(bin('rollup'), ['-c', 'rollup.config.mjs'], { cwd: place })
    counts(place, 'out/rollup.mjs')
  })
  await smoke(`jest ${TOOLS.jest}, in CommonJS`, () => {
    run(
      bin('jest'),
      ['--config', '{"testMatch":["**/counter.jest.cjs"],"moduleFileExtensions":["js","cjs","mjs","json"]}', PATIENT],
      { cwd: place },
    )
  })
  await smoke(`vitest ${TOOLS.vitest}`, () => {
    run(bin('vitest'), ['run', 'counter.vitest.mjs', '--config', 'vitest.config.mjs', PATIENT], { cwd: place })
  })
})
report()
