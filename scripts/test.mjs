/*
 * Runs the tests with node:test on whatever Node this is. It exists because `node --test` takes patterns only from
 * Node 21 on, and because the same tests run against the source (the default) and against the built package
 * (`--dist`), by way of how `koa-session` is resolved.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values, positionals } = parseArgs({ options: { dist: { type: 'boolean' } }, allowPositionals: true })
const root = fileURLToPath(new URL('..', import.meta.url))
const wanted = positionals.length > 0 ? positionals : ['test']

const files = readdirSync(join(root, 'test'), { recursive: true })
  .map(file => join('test', String(file)))
  .filter(file => file.endsWith('.test.ts') && wanted.some(part => file.includes(part)))
  // The unit tests look inside the source; what is built has no inside.
  .filter(file => !values.dist || !/^test\/(session|codec|config|stores\/rows|cli\/(?!process))/.test(file))
  .sort()

const { status } = spawnSync(process.execPath, ['--import', 'tsx', '--test', ...files], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, TSX_TSCONFIG_PATH: values.dist ? 'tsconfig.dist.json' : 'tsconfig.json' },
})
process.exit(status ?? 1)
