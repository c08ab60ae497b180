/* What an error of a store says: why it failed and what to do, and nothing of the session that the store was given. */

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'
import { inspect } from 'node:util'
import Koa from 'koa'
import session, { type CreateSessionOptions, SessionError, type Store } from 'koa-session'
import { connectStore } from 'koa-session/connect'
import { memoryStore } from 'koa-session/memory'
import { mysqlStore } from 'koa-session/mysql'
import { postgresStore } from 'koa-session/postgres'
import { redisStore } from 'koa-session/redis'
import { sqliteStore } from 'koa-session/sqlite'
import { HOUR, serve, simpleStore, told } from '../support/story.ts'

const EMAIL = 'ada.lovelace@example.org'
const NOTE = 'she said "no"\nto Bücher\\'

/** What a driver may put into its error, of what it was given: an id, and the data in its own form. */
type Fault = (id: string, given: unknown) => unknown

const coded = (message: string, code: string | number) => Object.assign(new Error(message), { code })
const hashOf = (id: string, encoding: 'base64url' | 'hex') => createHash('sha256').update(id).digest(encoding)

/** Stores that a session is put into, each of which fails as it is told. */
const STORES: Readonly<Record<string, (fault: Fault) => Store>> = {
  'written to key by key': fault => {
    const { get, set, destroy, ...inner } = memoryStore()
    const plain = { get, set, destroy }
    const create = async (id: string, record: unknown) => {
      throw fault(id, record)
    }
    return { ...inner, ...plain, plain, create } as unknown as Store
  },
  'of three methods': fault => {
    const set = (id: string, payload: unknown) => {
      throw fault(id, payload)
    }
    return Object.assign(Object.create(simpleStore()), { set })
  },
}

async function failing(t: Parameters<typeof serve>[0], make: (fault: Fault) => Store, fault: Fault) {
  const seen = { id: '' }
  const options = (): CreateSessionOptions => ({
    store: make((id, given) => {
      seen.id = id
      return fault(id, given)
    }),
  })
  const page = (ctx: { session: unknown }) => {
    ctx.session = { email: EMAIL, card: 4929123456, flags: { [`by ${EMAIL}`]: true }, note: NOTE }
  }
  const { visitor, errors, events } = await serve(t, options, { '/page': page }, { options: { maxAge: HOUR } })
  assert.equal((await visitor.get('/page')).status, 500)
  await told()
  const [error] = errors
  assert.ok(error instanceof SessionError && error.code === 'ERR_SESSION_STORE')
  const event = events.find(([name]) => name === 'session:error')?.[1]
  assert.equal(event?.error, error)
  const cause = error.cause as Error
  const shown = [error, cause, event].flatMap(one => [inspect(one, { depth: 9 }), JSON.stringify(one)])
  const all = [...shown, error.message, error.stack, cause.message, cause.stack, inspect(cause, { showHidden: true })]
  return { error, cause, id: seen.id, all: all.join('\n') }
}

const SETUP = 'call `await store.setup()` when the application starts, which creates the table'
const UNNAMED = 'its message is not shown, because it may contain data of a session'

const TOLD: ReadonlyArray<readonly [what: string, thrown: unknown, message: string]> = [
  ['a message', new Error('down'), 'down'],
  [
    'a message and a code',
    coded('connect refused 127.0.0.1:6379', 'ECONNREFUSED'),
    'connect refused 127.0.0.1:6379 (ECONNREFUSED)',
  ],
  [
    'a code that the message has',
    coded('connect ECONNREFUSED 127.0.0.1:1', 'ECONNREFUSED'),
    'connect ECONNREFUSED 127.0.0.1:1',
  ],
  [
    'several addresses that were tried',
    Object.assign(new AggregateError([new Error('connect ECONNREFUSED ::1:5432')], ''), { code: 'ECONNREFUSED' }),
    'connect ECONNREFUSED ::1:5432',
  ],
  ['a text in place of an error', 'no more memory', 'no more memory'],
  ['nothing', undefined, 'undefined'],
  ['an object that is no error', { retry: true }, 'it threw an object'],
  [
    'no table of SQLite',
    coded('no such table: sessions', 'ERR_SQLITE_ERROR'),
    `no such table: sessions (ERR_SQLITE_ERROR); ${SETUP}`,
  ],
  [
    'no table of PostgreSQL',
    coded('relation "sessions" does not exist', '42P01'),
    `relation "sessions" does not exist (42P01); ${SETUP}`,
  ],
  [
    'no table of PostgreSQL, in another language',
    coded('Relation »sessions« existiert nicht', '42P01'),
    `Relation »sessions« existiert nicht (42P01); ${SETUP}`,
  ],
  [
    'no table of MySQL',
    coded("Table 'app.sessions' doesn't exist", 'ER_NO_SUCH_TABLE'),
    `Table 'app.sessions' doesn't exist (ER_NO_SUCH_TABLE); ${SETUP}`,
  ],
]

for (const [kind, make] of Object.entries(STORES)) {
  for (const [what, thrown, message] of TOLD) {
    test(`a store ${kind} that fails with ${what} is an error whose message says so`, async t => {
      const { error, cause } = await failing(t, make, () => thrown)
      const method = kind === 'of three methods' ? 'set' : 'create'
      assert.equal(error.message, `the session store failed in ${method}(): ${message}`)
      assert.equal(error.cause instanceof Error, true)
      if (thrown instanceof Error && thrown.message) assert.equal(cause.stack, thrown.stack)
    })
  }
}

/** As drivers say it, beside what is no secret. */
const QUOTING: Readonly<Record<string, (...given: Parameters<Fault>) => string>> = {
  'the id': id => `no room for sess:${id}`,
  'the hash of the id': id => `Duplicate entry '${hashOf(id, 'base64url')}' for key`,
  'the hash of the id in hex': id => `key ${hashOf(id, 'hex')} is locked`,
  'a text of the data': () => `invalid value: ${EMAIL}`,
  'a number of the data': () => 'out of range: 4929123456',
  'a name within the data': () => `invalid path: $.by ${EMAIL}`,
  'a text that was cut off': () => `near '${EMAIL.slice(0, 20)}…'`,
  'a text in JSON': () => `invalid input: ${JSON.stringify({ note: NOTE })}`,
  'a text in JSON in JSON': () => `invalid input: ${JSON.stringify(JSON.stringify({ note: NOTE }))}`,
  'a text in ASCII': () => `at ${JSON.stringify(NOTE).replace('ü', '\\u00fc')}`,
  'all of it': (_, given) => `can't write ${JSON.stringify(given)}`,
}

const words = (id: string) => [id, hashOf(id, 'base64url'), hashOf(id, 'hex'), EMAIL, '4929123456', 'she said']

for (const [kind, make] of Object.entries(STORES)) {
  for (const [what, quote] of Object.entries(QUOTING)) {
    test(`a store ${kind}: an error that repeats ${what} is not shown, but for its code and its stack`, async t => {
      const { error, cause, id, all } = await failing(t, make, (...given) => coded(quote(...given), 'E_DRIVER'))
      assert.match(error.message, new RegExp(`\\(\\): ${UNNAMED} \\(E_DRIVER\\)$`))
      assert.match(String(cause.stack), /\n {4}at .*errors\.test\.ts/)
      for (const word of words(id)) assert.ok(!all.includes(word), `${word} is in ${all}`)
    })
  }

  test(`a store ${kind}: what a driver adds to its error is not in the cause`, async t => {
    const { error, id, all } = await failing(t, make, (id, given) => {
      const command = { name: 'evalsha', args: [id, JSON.stringify(given)] }
      const detail = `Key (name)=(${hashOf(id, 'base64url')}) already exists.`
      const cause = new Error(JSON.stringify(given))
      return Object.assign(new Error('READONLY', { cause }), { command, detail, sql: `VALUES ('${EMAIL}')`, errno: 7 })
    })
    assert.match(error.message, /\(\): READONLY$/)
    for (const word of words(id)) assert.ok(!all.includes(word), `${word} is in ${all}`)
  })
}

test('what JSON.parse says of damaged data is not shown: it quotes them', async t => {
  const get = () => JSON.parse(`${EMAIL}`)
  const store = Object.assign(Object.create(simpleStore()), { get })
  const { visitor, errors } = await serve(t, () => ({ store }))
  visitor.jar.set('koa.sess', 'an-id')
  const unsigned = await serve(t, () => ({ store, signed: false }))
  unsigned.visitor.jar.set('koa.sess', 'an-id')
  assert.equal((await unsigned.visitor.get('/')).status, 500)
  const [error] = unsigned.errors
  assert.equal(error?.message, `the session store failed in get(): ${UNNAMED}`)
  assert.ok(!inspect(error, { depth: 9, showHidden: true }).includes('ada'))
  assert.deepEqual(errors, [])
})

test('the messages of two errors with a cause say the reason once', () => {
  const inner = new SessionError('ERR_SESSION_STORE', 'the session store failed', {
    cause: new Error('no such table: a'),
  })
  const outer = new SessionError('ERR_SESSION_STORE', 'it can not be replaced', { cause: inner })
  assert.equal(inner.message, `the session store failed: no such table: a; ${SETUP}`)
  assert.equal(outer.message, `it can not be replaced: ${inner.message} (ERR_SESSION_STORE)`)
  assert.equal(outer.cause, inner)
  const same = new SessionError('ERR_SESSION_KEYS', '.keys required: set app.keys', {
    cause: new Error('.keys required'),
  })
  assert.equal(same.message, '.keys required: set app.keys')
})

test('an address with a password in the place of a client, a store or a secret is not in the error', () => {
  const address = 'postgres://app:hunter2@10.0.0.1/app' as never
  const wrong: Readonly<Record<string, () => unknown>> = {
    redisStore: () => redisStore(address),
    postgresStore: () => postgresStore(address),
    mysqlStore: () => mysqlStore(address),
    sqliteStore: () => sqliteStore(address),
    connectStore: () => connectStore(address),
    store: () => session({ store: address }, new Koa()),
    seal: () => session({ seal: address }, new Koa()),
    externalKey: () => session({ externalKey: address }, new Koa()),
  }
  for (const [name, make] of Object.entries(wrong)) {
    assert.throws(make, (error: Error & { code?: string }) => {
      assert.equal(error.code, 'ERR_SESSION_OPTION', name)
      assert.ok(!inspect(error).includes('hunter2'), error.message)
      return true
    })
  }
})

for (const [what, cause] of [
  [
    'throws when its message is read',
    Object.defineProperty(new Error(), 'message', {
      get() {
        throw new Error('never')
      },
    }),
  ],
  ['leads back to itself', Object.assign(new Error(''), { errors: [] as unknown[] })],
] as const) {
  test(`an error of a store that ${what} is told as one that says nothing`, () => {
    if ('errors' in cause) (cause.errors as unknown[]).push(cause)
    const { message, cause: copy } = new SessionError('ERR_SESSION_STORE', 'the session store failed', { cause })
    const withheld = 'its message is not shown, because it may contain data of a session'
    assert.deepEqual([message, (copy as Error).message], [`the session store failed: ${withheld}`, withheld])
  })
}
