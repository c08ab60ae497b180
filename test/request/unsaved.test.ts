/** What is told of changes that nothing saves: as an event, and as a process warning, once. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { heard, warningsOf } from '../support/warnings.ts'
import { type Data, site } from './site.ts'

type Request = ReturnType<ReturnType<typeof site>['begin']>
type Options = Record<string, unknown>

const COOKIE = { store: null, genid: undefined, encode: JSON.stringify, decode: JSON.parse }
const change = ({ session }: Request) => Object.assign(session, { b: 2 })
const read = ({ session }: Request) => session.toJSON()

/** What is done in the tick in which the session is used once its request is over, and whether that is late. */
const LATE: Readonly<Record<string, readonly [work: (request: Request) => unknown, isLate: boolean]>> = {
  'it is read': [read, false],
  'it is changed': [change, true],
  'it is changed, and changed back': [
    request => {
      change(request)
      Reflect.deleteProperty(request.session, 'b')
    },
    false,
  ],
  'it is given a lifetime': [
    ({ session }) => {
      session.maxAge = 5
    },
    true,
  ],
}

for (const [what, [work, isLate]] of Object.entries(LATE)) {
  for (const [mode, options, presented] of [
    ['a cookie', COOKIE, '{"a":1}'],
    ['a store', {}, 'A'],
  ] as const) {
    test(`once the request is over and its headers have left, with ${mode}: ${what}`, async () => {
      for (const hasLeft of [true, false]) {
        const request = await site(options).visit(presented)
        void request.session
        await request.scope.finish()
        if (hasLeft) request.exchange.leave()
        work(request)
        await turn()
        assert.deepEqual(request.told(), hasLeft && isLate ? ['late'] : [])
      }
    })
  }
}

test('what is saved after the request is over is not late, and what is saved while it runs is not either', async () => {
  const over = await site().visit('A')
  await over.scope.finish()
  over.exchange.leave()
  change(over)
  await over.session.save()
  await turn()
  assert.deepEqual(over.told(), [])
  const running = await site().visit('A')
  running.exchange.leave()
  change(running)
  await turn()
  assert.deepEqual(running.told(), [])
})

test('what waits for its commit is not late', async () => {
  const { visit, courses } = site()
  const request = await visit('A')
  await request.scope.finish()
  request.exchange.leave()
  change(request)
  courses.patch = [ask => turn().then(turn).then(ask)]
  const saving = request.session.save()
  await turn()
  await saving
  assert.deepEqual(request.told(), [])
})

interface Case {
  readonly options?: Options
  readonly presented?: string
  readonly work?: (request: Request) => unknown
  /** Whether its middleware begins it; whether the headers leave before it ends; and whether they leave after. */
  readonly isBegun?: boolean
  readonly isLeft?: boolean
  readonly isLeftAfter?: boolean
}

async function play({ options = {}, presented = 'A', work, isBegun = true, isLeft, isLeftAfter }: Case) {
  const request = site(options).begin(presented)
  if (isBegun) await request.scope.start(false)
  if (isLeft) request.exchange.leave()
  await work?.(request)
  if (!isBegun) request.exchange.leave()
  else await request.scope.finish()
  if (isLeftAfter) request.exchange.leave()
  await heard()
}

const NO_COMMIT = { autoCommit: false }
const commit = async (request: Request) => {
  change(request)
  await request.session.manuallyCommit()
}

const KEPT: Readonly<Record<string, readonly Case[]>> = {
  KOA_SESSION_UNCOMMITTED: [
    { work: change },
    { work: change, isLeft: true },
    { work: change, isLeftAfter: true },
    { options: NO_COMMIT, isLeft: true },
    { options: NO_COMMIT, isLeftAfter: true },
    { options: NO_COMMIT, work: change },
    { options: NO_COMMIT, work: read, isLeft: true },
    { options: NO_COMMIT, work: read, isLeftAfter: true },
    { options: NO_COMMIT, work: commit, isLeft: true },
    { options: NO_COMMIT, work: commit, isLeftAfter: true },
    { options: { ...NO_COMMIT, ...COOKIE }, presented: '{"a":1}', work: read, isLeftAfter: true },
  ],
  KOA_SESSION_UNUSED: [
    { isBegun: false },
    { options: COOKIE, presented: '{"a":1}', work: read, isBegun: false },
    { options: COOKIE, presented: '{"a":1}', isBegun: false },
  ],
}

/** A row that is told; `own`: under the name that an option gives the session. */
const TOLD: Readonly<Record<string, readonly [row: Case, message: string]>> = {
  KOA_SESSION_UNCOMMITTED: [
    { options: { ...NO_COMMIT, property: 'own' }, work: change, isLeftAfter: true },
    'ctx.own was changed and autoCommit is false, so nothing is saved: ' +
      'call ctx.own.manuallyCommit(), or commit(ctx) of the middleware, before the response ends',
  ],
  KOA_SESSION_UNUSED: [
    { options: { property: 'own' }, work: change, isBegun: false },
    'ctx.own was used, and the response left without its middleware: ' +
      'call app.use(session(app)) before the middleware that uses ctx.own',
  ],
}

for (const [code, rows] of Object.entries(KEPT)) {
  test(`${code} is raised for a change that nothing saves, once, and for nothing else`, async t => {
    const warnings = warningsOf(t, code)
    for (const row of rows) {
      await play(row)
      assert.deepEqual([row, warnings], [row, []])
    }
    const [row, message] = TOLD[code] as (typeof TOLD)[string]
    await play(row)
    await play(row)
    assert.deepEqual(
      warnings.map(warning => warning.message),
      [message],
    )
  })
}

test('KOA_SESSION_EARLY is raised for what is written before the middleware, once', async t => {
  const warnings = warningsOf(t, 'KOA_SESSION_EARLY')
  for (const work of [read, change, change]) {
    const request = site({ property: 'own' }).begin('A')
    work(request)
    await request.scope.start(false)
    assert.deepEqual((request.session as Data).toJSON(), { a: 1 })
  }
  await heard()
  assert.deepEqual(
    warnings.map(warning => warning.message),
    ['what was written to ctx.own before its middleware ran is not saved; use the middleware earlier'],
  )
})
