/* What is told of a session to others than its visitor: that something happened, and nothing that opens or reads it. */

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test, { type TestContext as Test } from 'node:test'
import { inspect } from 'node:util'
import type { CreateSessionOptions, Store } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import type { TestContext } from '../support/koa.ts'
import { Gate } from '../support/stores.ts'
import { HOUR, KEY, MODES, type Pages, SECRETS, STORE_MODES, serve, type Told, told } from '../support/story.ts'

const DATA = 'the diagnosis of ada'

/** Everything that the process says while `t` runs: warnings, and what is written to the console. */
function listening(t: Test): string[] {
  const said: string[] = []
  const note = (warning: Error) => said.push(textOf(warning))
  process.on('warning', note)
  t.after(() => process.off('warning', note))
  for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    t.mock.method(console, method, (...line: unknown[]) => said.push(inspect(line, { depth: 9 })))
  }
  return said
}

/** All that a log could make of an error: its stack, its causes, and its own properties. */
const textOf = (error: unknown) => `${inspect(error, { depth: 9, showHidden: true })} ${JSON.stringify(error)}`

/** All that a log could make of a new event. */
const textOfEvent = ([event, argument]: Told) =>
  `${event} ${inspect(argument, { depth: 9 })} ${JSON.stringify(argument)}`
const isNew = ([event]: Told) => !['session:missed', 'session:expired', 'session:invalid'].includes(event)

const MISUSE: Pages = {
  '/map': ctx => {
    ctx.session.secret = DATA
    ctx.session.map = new Map([[DATA, DATA]])
  },
  '/big-int': ctx => {
    ctx.session.secret = DATA
    ctx.session.count = 10n
  },
  '/cycle': ctx => {
    const cycle: Record<string, unknown> = { secret: DATA }
    cycle.self = cycle
    ctx.session.cycle = cycle
  },
  '/large': ctx => {
    ctx.session.large = DATA.repeat(300)
  },
  '/set-to-text': ctx => {
    ctx.session = DATA
  },
  '/reserved': ctx => {
    ctx.session.isNew = DATA
  },
  '/lifetime': ctx => {
    ctx.session.secret = DATA
    ctx.session.maxAge = -1
  },
  '/late': ctx => {
    ctx.res.flushHeaders()
    ctx.session.secret = DATA
    return ctx.session.regenerate().catch((error: unknown) => ctx.app.emit('error', error, ctx))
  },
  '/refused': ctx => {
    ctx.session.refuse = DATA
  },
  '/secret': ctx => {
    ctx.session.secret = DATA
    return ctx.session.externalKey
  },
}

const schema: CreateSessionOptions['schema'] = {
  '~standard': {
    version: 1,
    vendor: 'story',
    validate: value => {
      const refused = Object.hasOwn(Object(value), 'refuse')
      return refused ? { issues: [{ message: `got ${DATA}`, path: ['refuse'] }] } : { value }
    },
  },
}

for (const [mode, options] of Object.entries(MODES)) {
  test(`ids and session data never reach a log, an error message or a new event (CVE-2023-20866): ${mode}`, async t => {
    const said = listening(t)
    const gate = new Gate()
    const pages: Pages = {
      ...MISUSE,
      '/slow': async ctx => {
        ctx.session.slow = DATA
        await gate.pass()
      },
    }
    const { visitor, clock, events, errors } = await serve(t, options, pages, { options: { schema } })
    const words = new Set<string>([DATA, ...SECRETS])
    const remember = async (path: string) => {
      const { text } = await visitor.get(path)
      if (/^[0-9a-f-]{36}$/.test(text)) words.add(text)
      for (const value of visitor.jar.values()) words.add(value)
    }
    await remember('/secret')
    const planted = visitor.copy()
    await remember('/in')
    await remember('/secret')
    // Every way to misuse it, everything that a client can bring, and every end.
    for (const page of Object.keys(MISUSE)) await visitor.get(page)
    const forger = visitor.copy()
    for (const value of [...words, 'made up', '%', '{}', `${visitor.jar.get(KEY)}x`]) {
      forger.jar.set(KEY, encodeURIComponent(value))
      await forger.get('/')
    }
    await planted.get('/')
    clock.advance(11_000)
    await planted.get('/')
    const kept = visitor.copy()
    const slow = kept.get('/slow')
    await gate.arrived
    await visitor.get('/out')
    gate.open()
    await slow
    await visitor.get('/secret')
    for (const value of visitor.jar.values()) words.add(value)
    clock.advance(HOUR + 1)
    await visitor.get('/')
    await told()

    const newer = events.filter(isNew)
    const all = [...said, ...errors.map(textOf), ...newer.map(textOfEvent)].join('\n')
    for (const word of words) assert.ok(!all.includes(word), `${word} is in ${all.slice(0, 5000)}`)
    assert.ok(errors.length >= 6 && newer.length >= 5, `${errors.length} errors, ${newer.length} events`)
    t.diagnostic(
      `${errors.length} errors, ${newer.length} events, ${said.length} lines, and none of ${words.size} words`,
    )
  })
}

for (const [mode, options] of Object.entries(STORE_MODES)) {
  test(`what may be logged of an id is a fingerprint: ${mode}: 8 characters of its hash, the same in every event`, async t => {
    const { visitor, clock, events } = await serve(t, options, { '/id': (ctx: TestContext) => ctx.session.externalKey })
    await visitor.get('/in')
    const { text: id } = await visitor.get('/id')
    clock.advance(HOUR + 1)
    await visitor.get('/')
    await told()
    const [seven, refused] = events
    assert.equal(seven?.[1].key, id, 'the events of 7.x keep their key')
    assert.equal(refused?.[1].id, createHash('sha256').update(id).digest('hex').slice(0, 8))
  })
}

test('a store that is down is told by its own error, to which nothing of the session is added', async t => {
  const outage = new Error('connection refused')
  const memory = memoryStore()
  let isDown = false
  const guarded = (method: 'get' | 'set' | 'destroy') => (id: string, payload?: unknown, ttl?: unknown) => {
    if (isDown) throw outage
    return Reflect.apply(memory[method], memory, [id, payload, ttl])
  }
  const store: Store = { get: guarded('get'), set: guarded('set'), destroy: guarded('destroy') }
  const { visitor, errors } = await serve(t, () => ({ store }), MISUSE)
  const { text: id } = await visitor.get('/secret')
  isDown = true
  for (const path of ['/', '/secret', '/out']) await visitor.get(path)
  assert.ok(errors.length >= 3)
  for (const error of errors) {
    assert.ok(!textOf(error).includes(id) && !textOf(error).includes(DATA))
    assert.deepEqual(error.cause, outage)
  }
})

test('what a session shows of itself to a log is its data, and neither its id nor a secret', async t => {
  const pages: Pages = { ...MISUSE, '/inspect': ctx => inspect(ctx.session, { depth: 9, showHidden: true }) }
  const { visitor } = await serve(t, () => ({ store: memoryStore() }), pages)
  const { text: id } = await visitor.get('/secret')
  const { text } = await visitor.get('/inspect')
  assert.ok(text.includes(DATA) && !text.includes(id) && !text.includes(SECRETS[0] ?? ''))
})
