/** Stories of the example examples/proxy: two processes on one Redis, behind nginx with TLS. It runs on what is built. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, type TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import Koa from 'koa'
import session from 'koa-session'
import { versionOfPackage } from '../../servers/found.ts'
import { startNginx } from '../../servers/nginx.ts'
import { freePort, makeFolder } from '../../servers/place.ts'
import { ended, family, send } from '../../servers/process.ts'
import { startRedis } from '../../servers/redis.ts'
import { row, suiteOn } from '../../servers/report.ts'
import { launch, type Server } from '../../servers/server.ts'
import { listen, namesSet, type Send, Visitor } from '../../support/agent.ts'
import { newSecret } from '../../support/secrets.ts'

const EXAMPLE = new URL('../../../examples/proxy/', import.meta.url)
const SIGNED_IN = ['__Host-session', '__Host-session.sig']

/** Over TLS, with a certificate that nobody has signed, on a connection of its own. */
const sendTo =
  (port: number, body = ''): Send =>
  async (method, path, given) => {
    const headers = { host: `localhost:${port}`, 'content-length': String(body.length), ...given }
    const options = {
      port,
      host: '127.0.0.1',
      servername: 'localhost',
      method,
      path,
      headers,
      rejectUnauthorized: false,
    }
    const answer = await new Promise<http.IncomingMessage>((resolve, reject) => {
      https
        .request({ ...options, agent: false }, resolve)
        .once('error', reject)
        .end(body)
    })
    const lines = Object.entries(answer.headersDistinct).flatMap(([name, values = []]) =>
      values.map((value): [string, string] => [name, value]),
    )
    return { status: answer.statusCode ?? 0, text: await text(answer), headers: new Headers(lines) }
  }

const partOf = (page: string, id: string) => new RegExp(`id="${id}">([^<]*)<`).exec(page)?.[1]

suiteOn('redis', 'several processes behind a proxy', redisTitle => {
  suiteOn('nginx', 'nginx', nginxTitle => {
    const nginx = row({
      store: 'redis',
      client: `redis ${versionOfPackage('redis')}`,
      server: `${redisTitle}, ${nginxTitle}`,
    })
    let redis: Server
    let example: Server
    let [httpsPort, httpPort] = [0, 0]

    /** With the folder in which it makes its own. */
    async function startExample(...args: string[]) {
      const ports: number[] = []
      while (new Set(ports).size < 5) ports.push(await freePort())
      const [httpsPort = 0, httpPort = 0] = ports
      const folder = makeFolder()
      const start = fileURLToPath(new URL('start.mjs', EXAMPLE))
      const server = await launch({
        command: 'env',
        args: [`TMPDIR=${folder}`, process.execPath, start, ...args, '--ports', ports.join()],
        port: httpsPort,
        url: `https://localhost:${httpsPort}`,
        folder,
        ready: /^Open https:/m,
        endSignal: 'SIGTERM',
        crashSignal: 'SIGTERM',
      })
      return { server, httpsPort, httpPort }
    }

    before(async () => {
      redis = await startRedis()
      ;({ server: example, httpsPort, httpPort } = await startExample('--redis', redis.url))
    })
    after(async () => {
      await example?.stop()
      await redis?.stop()
    })

    const visitor = () => new Visitor(sendTo(httpsPort))
    /** The process and the user of one page. */
    const read = async (from: Visitor, headers = {}) => {
      const { text: page } = await from.get('/', headers)
      return { by: partOf(page, 'process'), user: partOf(page, 'user') ?? 'nobody', page }
    }
    /** What both processes say: nginx goes from one to the other. */
    const readByBoth = async (from: Visitor) => {
      const users: Record<string, string> = {}
      for (let left = 20; Object.keys(users).length < 2 && left > 0; left--) {
        const { by = '', user } = await read(from)
        users[by] = user
      }
      return Object.values(users)
    }
    const post = async (from: Visitor, path: string, form = '') => {
      const poster = new Visitor(sendTo(httpsPort, form))
      for (const [name, value] of from.jar) poster.jar.set(name, value)
      const answer = await poster.post(path, { 'sec-fetch-site': 'same-origin' })
      from.jar.clear()
      for (const [name, value] of poster.jar) from.jar.set(name, value)
      return answer
    }
    const signIn = (from: Visitor, name: string) => post(from, '/sign-in', `name=${name}`)
    const pidsOf = () =>
      [...readFileSync(join(example.folder, 'log'), 'utf8').matchAll(/has the pid (\d+)/g)].map(([, pid]) =>
        Number(pid),
      )

    nginx.test('signs in by one process and reads by the other, with a secure __Host- cookie', async () => {
      const ada = visitor()
      const { status, cookies } = await signIn(ada, 'ada')
      assert.equal(status, 303)
      assert.deepEqual(namesSet(cookies), SIGNED_IN)
      for (const line of cookies) {
        assert.match(line, /(?=.*; path=\/;)(?=.*; samesite=lax)(?=.*; secure)(?=.*; httponly)(?!.*; domain)/)
      }
      assert.deepEqual(await readByBoth(ada), ['ada', 'ada'])
    })

    nginx.test('goes on while one process is killed, and after it was started again', async () => {
      const ada = visitor()
      await signIn(ada, 'ada')
      const [pid = 0, ...others] = pidsOf()
      process.kill(pid, 'SIGKILL')
      for (let count = 0; count < 5; count++) assert.equal((await read(ada)).user, 'ada')
      while (pidsOf().length < others.length + 2) await wait(20)
      let users: string[] = []
      // nginx leaves out for a second what has not answered.
      for (const end = Date.now() + 10_000; users.length < 2 && Date.now() < end; await wait(50)) {
        users = await readByBoth(ada)
      }
      assert.deepEqual(users, ['ada', 'ada'])
    })

    nginx.test('signs out everywhere, whichever process is asked', async () => {
      const [desktop, phone, eve] = [visitor(), visitor(), visitor()]
      for (const browser of [desktop, phone]) await signIn(browser, 'grace')
      await signIn(eve, 'eve')
      assert.equal(partOf((await read(phone)).page, 'count'), '2')
      assert.equal((await post(desktop, '/sign-out-everywhere')).status, 303)
      assert.equal(desktop.jar.size, 0)
      assert.deepEqual(
        [await readByBoth(phone), await readByBoth(eve)],
        [
          ['nobody', 'nobody'],
          ['eve', 'eve'],
        ],
      )
    })

    nginx.test('leads from plain HTTP to HTTPS, under its own name', async () => {
      const headers = { host: 'evil.example' }
      const answer = await new Promise<http.IncomingMessage>((resolve, reject) => {
        http.get({ port: httpPort, host: '127.0.0.1', path: '/page?x=1', headers }, resolve).once('error', reject)
      })
      answer.resume()
      assert.deepEqual(
        [answer.statusCode, answer.headers.location, answer.headers['set-cookie']],
        [308, `https://localhost:${httpsPort}/page?x=1`, undefined],
      )
    })

    nginx.test('believes no header in which a client says who it is and what it has asked', async () => {
      const claims = { 'x-forwarded-proto': 'http', 'x-forwarded-for': '192.0.2.1', 'x-forwarded-host': 'evil.example' }
      const { page } = await read(visitor(), claims)
      assert.deepEqual(
        [partOf(page, 'address'), partOf(page, 'origin')],
        ['127.0.0.1', `https://localhost:${httpsPort}`],
      )
      assert.equal((await visitor().get('/', { host: 'evil.example' })).status, 421)
    })

    nginx.test('leaves nothing behind at Ctrl+C, which reaches all of its processes at once', async t => {
      const { server } = await startExample()
      t.after(() => server.stop())
      const pids = family(server.pid)
      for (const pid of pids) send(pid, 'SIGINT')
      assert.equal(await ended(pids, 15_000), true)
      assert.deepEqual(readdirSync(server.folder), ['log'])
    })

    nginx.test('passes on a sealed session in three cookies, both ways', async t => {
      const port = await freePort()
      const url = new URL(await serveNotes(t))
      const ports = { 8443: port, 8080: await freePort(), 3001: Number(url.port), 3002: Number(url.port) }
      const server = await startNginx(new URL('nginx.conf', EXAMPLE), ports, port)
      t.after(() => server.stop())
      const browser = new Visitor(sendTo(port))
      const { status, text: length } = await browser.get('/write')
      assert.deepEqual([status, length], [200, '8000'])
      assert.deepEqual([...browser.jar.keys()].sort(), ['__Host-notes', '__Host-notes.1', '__Host-notes.2'])
      assert.equal((await browser.get('/read')).text, '8000')
    })
  })
})

async function serveNotes(t: TestContext): Promise<string> {
  const app = new Koa({ proxy: true, keys: [newSecret()] })
  app.use(session({ key: '__Host-notes', seal: true, chunks: 3 }, app))
  app.use(ctx => {
    if (ctx.path === '/write') ctx.session.note = 'x'.repeat(8000)
    ctx.body = String(ctx.session.note?.length)
  })
  return listen(t, http.createServer(app.callback()))
}
