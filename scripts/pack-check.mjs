// What is published is not the source, but what `npm pack` makes of dist/ and package.json: a file that is
// left out, a wrong path under `exports`, a type that promises what the file does not have are seen only
// there. So the tarball itself is checked, then installed and called, as an ES module and with `require`. It packs what
// is in dist/, or takes the tarball that is named.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire, SourceMap } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import Koa from 'koa'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { headerFrom } from '../test/support/set-cookie.mjs'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
/** It is not minified, so that stacks can be read. */
const MAX_BYTES = 193_000
/** Of all the package, unpacked: the core and nine stores, each for `import` and `require`, with source maps by the line. */
const MAX_PACKAGE_BYTES = 1_060_000

/** What each part exports. */
const PARTS = {
  memory: ['memoryStore'],
  sqlite: ['sqliteStore'],
  redis: ['redisStore'],
  postgres: ['fromConnections', 'postgresStore'],
  mysql: ['fromConnections', 'mysqlStore'],
  dynamodb: ['dynamodbStore'],
  kv: ['kvStore'],
  mongodb: ['mongoStore'],
  connect: ['connectStore'],
  migrate: ['migrate'],
  open: ['openSession'],
  testing: ['createAgent', 'manualClock', 'storeContract'],
}

const temporary = mkdtempSync(join(tmpdir(), 'pack-check-'))
const installed = join(temporary, 'node_modules/koa-session')

try {
  const [given] = process.argv.slice(2)
  const tarball = given === undefined ? pack() : resolve(given)
  install(tarball)
  await check('publint', () => lint(tarball))
  await check('are the types wrong', () => typesOf(tarball))
  await check(`the ES module is under ${MAX_BYTES} bytes`, size)
  await check(`the package is under ${MAX_PACKAGE_BYTES} bytes`, packageSize)
  await check('the source maps have lines, and no source', maps)
  await check('require', () => works(required()))
  await check('import', async () => works(await imported()))
  await check('the command', commandWorks)
} finally {
  rmSync(temporary, { recursive: true })
}

async function check(name, test) {
  try {
    const detail = await test()
    console.log(`ok - ${name}${detail ? `: ${detail}` : ''}`)
  } catch (error) {
    process.exitCode = 1
    console.log(`not ok - ${name}\n${error.stdout || error.message}`)
  }
}

function run(command, parameters) {
  return execFileSync(command, parameters, { cwd: ROOT, encoding: 'utf8', stdio: 'pipe' })
}

function pack() {
  const parameters = ['pack', '--json', '--ignore-scripts', '--pack-destination', temporary]
  const [{ filename }] = JSON.parse(run('npm', parameters))
  return join(temporary, filename)
}

function install(tarball) {
  writeFileSync(join(temporary, 'package.json'), '{ "private": true }')
  // Koa is there already: it is the peer of whoever installs this.
  const quiet = ['--offline', '--legacy-peer-deps', '--no-audit', '--no-fund', '--no-package-lock']
  run('npm', ['install', ...quiet, '--prefix', temporary, tarball])
}

function typesOf(tarball) {
  run('npx', ['--no', 'attw', tarball])
}

async function lint(tarball) {
  const { messages, pkg } = await publint({ pack: { tarball: readFileSync(tarball) }, strict: true })
  assert.deepEqual(
    messages.map(message => formatMessage(message, pkg)),
    [],
  )
}

/** The bytes of the entry and of all that it imports. */
function size() {
  const files = new Set([join(installed, 'dist/index.mjs')])
  let bytes = 0
  for (const file of files) {
    const text = readFileSync(file, 'utf8')
    bytes += Buffer.byteLength(text)
    for (const [, path] of text.matchAll(/\bfrom\s*["'](\.[^"']+)["']/g)) files.add(resolve(file, '..', path))
  }
  assert.ok(bytes < MAX_BYTES, `${bytes} bytes`)
  return `${bytes} in ${files.size} files`
}

function packageSize() {
  const files = readdirSync(installed, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  const bytes = files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0)
  assert.ok(bytes < MAX_PACKAGE_BYTES, `${bytes} bytes`)
  return `${bytes} in ${files.length} files`
}

/** A line of the built code is found in its source: `class SessionError`, which is there once. */
function maps() {
  const dist = join(installed, 'dist')
  for (const file of readdirSync(dist).filter(name => name.endsWith('.map'))) {
    const map = JSON.parse(readFileSync(join(dist, file), 'utf8'))
    assert.equal(map.sourcesContent, undefined, file)
    assert.ok(map.mappings.length > 0, file)
  }
  const path = join(dist, 'index.mjs')
  const line = readFileSync(path, 'utf8')
    .split('\n')
    .findIndex(text => text.includes('class SessionError'))
  const found = new SourceMap(JSON.parse(readFileSync(`${path}.map`, 'utf8'))).findEntry(line, 0)
  assert.match(found.originalSource, /src\/errors\.ts$/)
  const source = readFileSync(join(ROOT, 'src/errors.ts'), 'utf8').split('\n')
  assert.match(source[found.originalLine], /class SessionError/)
}

function required() {
  const require = createRequire(join(temporary, 'consumer.cjs'))
  const session = require('koa-session')
  // What compilers make of `import session from 'koa-session'` depends on it.
  assert.equal(session.__esModule, true)
  const parts = Object.fromEntries(Object.keys(PARTS).map(name => [name, require(`koa-session/${name}`)]))
  return { session, named: session, parts }
}

async function imported() {
  const consumer = join(temporary, 'consumer.mjs')
  writeFileSync(
    consumer,
    `export { default as session } from 'koa-session'
    export * as named from 'koa-session'
    ${Object.keys(PARTS)
      .map(name => `export * as ${name} from 'koa-session/${name}'`)
      .join('\n')}`,
  )
  const { session, named, ...parts } = await import(pathToFileURL(consumer))
  return { session, named, parts }
}

async function works({ session, named, parts }) {
  const { memory } = parts
  for (const [name, exported] of Object.entries(PARTS))
    assert.deepEqual(Object.keys(parts[name]).sort(), exported, name)
  assert.equal(named.default, session)
  assert.equal(named.createSession, session)
  assert.deepEqual(Object.keys(named).sort(), ['SessionError', 'createSession', 'default', 'openSession'])
  // One class for both entries, or `instanceof` would lie.
  assert.throws(() => memory.memoryStore({ max: 0 }), named.SessionError)

  const app = new Koa()
  app.keys = ['key']
  app.use(session({ store: memory.memoryStore() }, app))
  app.use(ctx => {
    ctx.session.views = (ctx.session.views ?? 0) + 1
    ctx.body = String(ctx.session.views)
  })
  const server = app.listen(0)
  try {
    const url = `http://localhost:${server.address().port}`
    const first = await fetch(url)
    const second = await fetch(url, { headers: { cookie: headerFrom(first.headers.getSetCookie()) } })
    assert.deepEqual([await first.text(), await second.text()], ['1', '2'])
  } finally {
    server.close()
  }
}

/** As npm would link it: the file that `bin` names, alone, by its first line. */
function commandWorks() {
  const { bin, version } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
  const path = join(installed, bin['koa-session'])
  assert.match(readFileSync(path, 'utf8'), /^#!\/usr\/bin\/env node\n/)
  const command = (...parameters) => run(process.execPath, [path, ...parameters])
  assert.match(command('keygen'), /^[\w-]{43}\n$/)
  assert.equal(command('--version'), `${version}\n`)
}
