// Starts it all on this machine: Redis, two processes of the application, and nginx. Build the package, then
// `node examples/proxy/start.mjs`. In production something else does this: systemd, or containers.
import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

// Those of nginx.conf, and that of Redis. `--redis` is the URL of a Redis that runs, so that none is started.
const PORTS = ['8443', '8080', '3001', '3002', '6390']
const { values } = parseArgs({ options: { ports: { type: 'string' }, redis: { type: 'string' } } })
const ports = values.ports?.split(',') ?? PORTS
const [httpsPort, httpPort, firstPort, secondPort, redisPort] = ports
const folder = mkdtempSync(join(tmpdir(), 'koa-session-proxy-'))
const running = new Set()
let isStopping = false

// What each process is given. Secrets go by the environment: everybody on the machine can read a command line.
const env = {
  ...process.env,
  PATH: `${process.env.PATH}:/usr/sbin`,
  SESSION_KEYS: process.env.SESSION_KEYS || randomBytes(32).toString('base64url'),
  REDIS_URL: values.redis ?? `redis://127.0.0.1:${redisPort}`,
}

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop)
try {
  writeFileSync(join(folder, 'nginx.conf'), configuration())
  makeCertificate()
  if (!values.redis) run('redis-server', ['--port', redisPort, '--bind', '127.0.0.1', '--save', '', '--dir', folder])
  await Promise.all([keepServing(firstPort), keepServing(secondPort)])
  run('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr', '-g', 'daemon off;'])
  await answers(`http://localhost:${httpPort}`)
  if (!isStopping) console.log(`Open https://localhost:${httpsPort}, and accept its certificate.`)
} catch (error) {
  fail(error.message)
}

function configuration() {
  const text = readFileSync(new URL('nginx.conf', import.meta.url), 'utf8')
  return text.replace(/(?<=:)\d{4}\b/g, port => ports[PORTS.indexOf(port)])
}

// One that only this machine has made, and no browser trusts.
function makeCertificate() {
  const kind = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 7 -subj /CN=localhost'
  const names = ['-addext', 'subjectAltName=DNS:localhost']
  const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'certificate.pem')]
  execFileSync('openssl', [...kind.split(' '), ...names, ...files], { stdio: 'pipe' })
}

// A process of the application, and another one in its place whenever it ends.
async function keepServing(port) {
  const server = fileURLToPath(new URL('server.mjs', import.meta.url))
  const child = run(process.execPath, [server], { PORT: port })
  await once(child.stdout, 'data')
  console.log(`Process ${port} has the pid ${child.pid}.`)
  child.once('exit', () => isStopping || keepServing(port))
}

function run(command, args, more = {}) {
  const child = spawn(command, args, { env: { ...env, ...more }, stdio: ['ignore', 'pipe', 'inherit'] })
  running.add(child)
  child.stdout.resume()
  const ended = why => {
    running.delete(child)
    if (why) fail(`${command} ${why}`)
  }
  child.once('error', () => ended('could not be started. Is it installed?'))
  child.once('exit', status => ended(status > 0 && `has ended with ${status}`))
  return child
}

async function answers(url) {
  while (!isStopping && !(await fetch(url, { redirect: 'manual' }).catch(() => undefined))) await wait(50)
}

function fail(message) {
  if (isStopping) return
  console.error(message)
  process.exitCode = 1
  stop()
}

// nginx first, and Redis last, so that each request that is under way gets its answer. Ctrl+C reaches all of them at once:
// some may have ended meanwhile.
async function stop() {
  if (isStopping) return
  isStopping = true
  for (const child of [...running].reverse()) {
    if (child.kill('SIGTERM')) await once(child, 'exit')
  }
  rmSync(folder, { recursive: true, force: true })
}
