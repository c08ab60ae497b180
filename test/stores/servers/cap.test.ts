/**
 * The option `maxSessions` in three processes on one store: whoever signs in at the same time, and wherever, a user has no
 * more sessions than that.
 */
import assert from 'node:assert/strict'
import { after, before, describe, type TestContext as Test } from 'node:test'
import { startApplication } from '../../faults/application.ts'
import type { StoreName } from '../../faults/clients.ts'
import { type Ask, askOn, isGood } from '../../faults/http.ts'
import { KINDS, type Target } from '../../faults/servers.ts'
import type { Answer, Orders } from '../../races/app.ts'
import type { Asked } from '../../races/history.ts'
import type { ServerName } from '../../servers/available.ts'
import { row, suiteOn } from '../../servers/report.ts'
import { sqliteClients } from '../../servers/sqlite.ts'
import { headerFrom } from '../../support/set-cookie.mjs'

const APPLICATION = new URL('../../races/app.ts', import.meta.url)
const PROCESSES = 3
const SIGN_INS = 20
/** For what stands for a server, and is slow. */
const FEW = 4
const COUNT = 4
/** How long (ms) a sign-in may take: a machine that is busy is no store that fails. */
const PATIENCE = 60_000

/** The server that each store needs, and how many sign in at each process. */
const SERVERS: readonly (readonly [store: StoreName, server: ServerName, signIns: number])[] = [
  ['redis', 'redis', SIGN_INS],
  ['postgres', 'postgres-apt', SIGN_INS],
  ['mariadb', 'mariadb', SIGN_INS],
  ['mongodb', 'mongodb', FEW],
  ['dynamodb', 'dynalite', FEW],
]

for (const [store, server, signIns] of SERVERS) {
  suiteOn(server, `maxSessions in ${store}`, title => prove(store, title, signIns))
}
for (const { name, missing } of sqliteClients()) {
  if (missing === undefined) describe(`maxSessions in SQLite by ${name}`, () => prove(name, 'a file', SIGN_INS))
}

function prove(store: StoreName, server: string, count: number): void {
  const { test } = row({ store: `${store}, maxSessions`, client: `${PROCESSES} processes`, server })
  let target: Target
  before(async () => {
    target = await KINDS[store].start({})
  })
  after(() => target.stop())

  for (const beyond of ['end-oldest', 'refuse'] as const) {
    const title = `${beyond}: ${PROCESSES} × ${count} sign-ins at the same time leave ${COUNT} sessions at most`
    test(title, async t => {
      const asks = await start(t, store, target, { count: COUNT, beyond })
      const user = beyond
      const replies = await signIns(asks, user, count)
      const codes = new Set(replies.map(reply => (isGood(reply) ? 'in' : reply.code)))
      assert.ok(
        [...codes].every(code => code === 'in' || code === 'ERR_SESSION_LIMIT'),
        [...codes].join(),
      )
      const listed = await listOf(asks, user)
      assert.equal(await liveOf(asks, replies), listed, 'each session that is listed has a client')
      if (beyond === 'end-oldest') assert.equal(listed, COUNT)
      else await proveRoom(asks, user, listed)
    })
  }
}

/** The processes, as those who ask them have them. */
async function start(t: Test, store: StoreName, { place }: Target, maxSessions: Orders['maxSessions']): Promise<Ask[]> {
  const orders: Omit<Orders, 'port'> = { store, place, speed: 1, since: Date.now(), maxSessions }
  const startOne = async () => {
    const application = await startApplication(APPLICATION, orders)
    const { ask, close } = askOn(application.port, PATIENCE)
    t.after(() => {
      close()
      return application.stop()
    })
    return ask
  }
  // The first one makes the table that is not there.
  const first = await startOne()
  return [first, ...(await Promise.all(Array.from({ length: PROCESSES - 1 }, startOne)))]
}

/** Two that sign in at the same time may both be refused. One after the other, they fill what is left. */
async function proveRoom([ask]: readonly Ask[], user: string, listed: number): Promise<void> {
  assert.ok(listed <= COUNT, `there are ${listed} sessions`)
  const codes: string[] = []
  for (let n = listed; n <= COUNT; n++) codes.push((await send(ask, { user, page: 'in', mark: `late ${n}` })).code)
  assert.deepEqual(codes, [...Array(COUNT - listed).fill(''), 'ERR_SESSION_LIMIT'])
  assert.equal(await listOf([ask as Ask], user), COUNT)
}

function signIns(asks: readonly Ask[], user: string, each: number) {
  const all = asks.flatMap((ask, at) =>
    Array.from({ length: each }, (_, n) => send(ask, { user, page: 'in', mark: `${at}.${n}` })),
  )
  return Promise.all(all)
}

/** How many of those who were signed in are. */
async function liveOf(asks: readonly Ask[], replies: Awaited<ReturnType<typeof signIns>>): Promise<number> {
  const cookies = replies.filter(isGood).map(({ setCookie }) => headerFrom(setCookie))
  const answers = await Promise.all(
    cookies.map((cookie, n) => send(asks[n % asks.length], { user: '', page: 'read' }, cookie)),
  )
  return answers.filter(({ answer }) => Object(answer?.loaded).user !== undefined).length
}

async function listOf([ask]: readonly Ask[], user: string): Promise<number> {
  const { answer } = await send(ask, { user, page: 'audit' })
  const listed = answer?.listed
  assert.ok(Array.isArray(listed))
  return listed.length
}

async function send(ask: Ask | undefined, what: Pick<Asked, 'user' | 'page' | 'mark'>, cookie?: string) {
  assert.ok(ask)
  const asked: Asked = { request: `${what.user} ${what.mark}`, before: 0, after: 0, ...what }
  const reply = await ask(`/?asked=${encodeURIComponent(JSON.stringify(asked))}`, cookie)
  const answer: Answer | undefined = reply.text.startsWith('{') ? JSON.parse(reply.text) : undefined
  return { ...reply, answer }
}
