/*
 * Runs the suite against the built package on every Node that it supports with Koa 3, and with Koa 2. The Nodes are
 * npm packages that bring a binary, so that no installer and no container is needed. With `--short`, for the gate, each
 * Node is run once: the oldest with Koa 2, the others with Koa 3. Each run ends with the number of its tests that passed.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { countsOf, faultOf } from './tests/verdict.mjs'

const NODES = ['18.19.0', '20.20.2', '22.23.3', '24.21.0', '26.10.0']
const KOAS = ['2', '3']
/**
 * How many tests pass at least, by major of Node, as some have fewer clients of SQLite. Fewer mean that some were not
 * run. A commit that adds or removes tests may set it: a little below what `npm run test:matrix -- --short` prints.
 */
const MINIMUM = { 18: 5400, 20: 5400, 22: 6600, 24: 6600, 26: 6600 }

const root = join(import.meta.dirname, '..')
const cache = join(root, '.cache', 'nodes')
const binary = `node-${process.platform}-${process.arch}`

install()
// What depends on Koa's major does not depend on Node's: Koa 2 is run on the oldest and on the newest.
const ends = [NODES[0], NODES.at(-1)]
const all = NODES.flatMap(node => KOAS.filter(koa => koa === '3' || ends.includes(node)).map(koa => [node, koa]))
const isShort = process.argv.includes('--short')
const pairs = isShort ? NODES.map((node, index) => [node, index === 0 ? '2' : '3']) : all
const runs = pairs.map(pair => run(...pair))
const good = runs.filter(isGood => isGood).length
console.log(`matrix: ${good} of ${runs.length} runs are good`)
// Not by exit(): what a bad run printed may still be on its way.
process.exitCode = good === runs.length ? 0 : 1

function install() {
  if (NODES.every(node => existsSync(join(cache, 'node_modules', `node-${node}`)))) return
  mkdirSync(cache, { recursive: true })
  const dependencies = Object.fromEntries(NODES.map(node => [`node-${node}`, `npm:${binary}@${node}`]))
  writeFileSync(join(cache, 'package.json'), JSON.stringify({ private: true, dependencies }))
  const { status } = spawnSync('npm', ['install', '--no-audit', '--no-fund'], { cwd: cache, stdio: 'inherit' })
  if (status !== 0) process.exit(1)
}

function run(node, koa) {
  const title = `Node ${node}, Koa ${koa}`
  const folder = join(cache, 'node_modules', `node-${node}`, 'bin')
  if (!readdirSync(folder).includes('node')) throw new Error(`${binary}@${node} brings no Node`)
  const { stdout, status } = spawnSync(join(folder, 'node'), [join(root, 'scripts', 'test.mjs'), '--dist'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    env: { ...process.env, KOA: koa },
  })
  const fault = faultOf({ status, output: stdout }, MINIMUM[Number.parseInt(node, 10)])
  if (fault !== undefined) console.log(stdout)
  console.log(`${title}: ${fault ?? `${countsOf(stdout).pass} passed`}`)
  return fault === undefined
}
