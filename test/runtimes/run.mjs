/*
 * Tells a story of sessions, signed and sealed, to the package in each runtime that it says it runs in: Node, Bun, Deno, and
 * workerd, which runs Cloudflare's Workers. It exists because these have a node:http of their own, and what they change
 * there is nobody's fault but ours to notice.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { check, describe, npmInstall, ROOT, report, withPackage } from '../consumers/installed.mjs'
import { tellServerless } from './serverless.mjs'
import { tell } from './story.mjs'

const VERSIONS = { bun: '1.4.5', deno: '2.9.6', miniflare: '4.20260730.0', esbuild: '0.28.2' }
/** What Cloudflare promises to keep as it was on that day. */
const COMPATIBLE_WITH = '2026-07-01'
const SECRET = randomBytes(32).toString('base64url')
const KINDS = ['signed', 'sealed']

await withPackage(async folder => {
  describe(folder, { tarball: './koa-session.tgz', dependencies: VERSIONS })
  npmInstall(folder)
  for (const file of ['app.mjs', 'serve.mjs', 'worker.mjs'])
    cpSync(join(ROOT, 'test/runtimes', file), join(folder, file))
  const bin = name => join(folder, 'node_modules', '.bin', name)
  await serves(`Node ${process.versions.node}`, process.execPath, ['serve.mjs'])
  await serves(`Bun ${VERSIONS.bun}`, bin('bun'), ['serve.mjs'])
  const rights = ['--allow-net', '--allow-read', '--allow-env', '--allow-sys', '--no-prompt']
  await serves(`Deno ${VERSIONS.deno}`, bin('deno'), ['run', ...rights, 'serve.mjs'])
  await worker(folder)
  await example(folder)

  async function serves(name, command, parameters) {
    const child = spawn(command, parameters, {
      cwd: folder,
      env: { ...process.env, SECRET },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let errors = ''
    child.stderr.setEncoding('utf8').on('data', text => {
      errors += text
    })
    try {
      const ports = new Promise((resolve, reject) => {
        createInterface({ input: child.stdout }).once('line', line => resolve(JSON.parse(line)))
        child.once('error', reject).once('exit', status => reject(new Error(`${name} ended with ${status}\n${errors}`)))
        setTimeout(() => reject(new Error(`${name} does not listen\n${errors}`)), 60_000).unref()
      })
      for (const kind of KINDS) {
        await check(`${name}, ${kind}`, async () => {
          const origin = `http://127.0.0.1:${(await ports)[kind]}`
          await tell((path, init) => fetch(origin + path, init), { isSealed: kind === 'sealed' })
        })
      }
    } finally {
      child.kill('SIGKILL')
    }
  }
})
report()

/** As `wrangler` does it: `entry` as one module, Node's own left to the runtime. Rejects when it does not start. */
async function startWorker(folder, entry, settings) {
  const from = name => import(join(folder, 'node_modules', name))
  const { build } = await from('esbuild/lib/main.js')
  const { Miniflare } = await from('miniflare/dist/src/index.js')
  const {
    outputFiles: [{ text }],
  } = await build({
    absWorkingDir: folder,
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    conditions: ['workerd', 'worker'],
    external: ['node:*', 'cloudflare:*'],
    banner: { js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf('/');" },
    logLevel: 'silent',
  })
  return new Miniflare({
    modules: true,
    script: text,
    // Koa's log of what it does.
    handleRuntimeStdio: (output, errors) => [output.resume(), errors.resume()],
    ...settings,
  })
}

async function worker(folder) {
  const made = startWorker(folder, 'worker.mjs', {
    compatibilityDate: COMPATIBLE_WITH,
    compatibilityFlags: ['nodejs_compat'],
    bindings: { SECRET },
  })
  for (const kind of KINDS) {
    await check(`workerd of miniflare ${VERSIONS.miniflare}, ${kind}`, async () => {
      const miniflare = await made
      const visit = (path, { headers, ...init }) =>
        miniflare.dispatchFetch(`http://localhost${path}`, { ...init, headers: { ...headers, 'x-kind': kind } })
      await tell(visit, { isSealed: kind === 'sealed' })
    })
  }
  await made.then(miniflare => miniflare.dispose()).catch(() => undefined)
}

/** The example examples/serverless, with the settings of its wrangler.jsonc. */
async function example(folder) {
  cpSync(join(ROOT, 'examples'), join(folder, 'examples'), { recursive: true })
  const text = readFileSync(join(folder, 'examples/serverless/wrangler.jsonc'), 'utf8')
  const { main, ...settings } = JSON.parse(text.replace(/^ *\/\/.*$/gm, ''))
  const start = bindings =>
    startWorker(folder, `examples/serverless/${main}`, {
      compatibilityDate: settings.compatibility_date,
      compatibilityFlags: settings.compatibility_flags,
      bindings,
    })
  await check('the example examples/serverless in workerd', async () => {
    const miniflare = await start({ SESSION_KEYS: SECRET })
    try {
      // As browsers do, and miniflare does not by itself.
      const lengthOf = body => (body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) })
      await tellServerless((address, { headers, ...init }) =>
        miniflare.dispatchFetch(address, { ...init, headers: { ...headers, ...lengthOf(init.body) } }),
      )
    } finally {
      await miniflare.dispose()
    }
  })
  await check('the example examples/serverless does not start without a secret', async () => {
    const miniflare = await start({})
    await assert.rejects(miniflare.ready, /SESSION_KEYS is not set/)
    await miniflare.dispose().catch(() => undefined)
  })
}
