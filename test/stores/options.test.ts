/** What callers without types get wrong, at every store. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { connectStore } from 'koa-session/connect'
import { dynamodbStore } from 'koa-session/dynamodb'
import { kvStore } from 'koa-session/kv'
import { memoryStore } from 'koa-session/memory'
import { migrate } from 'koa-session/migrate'
import { mongoStore } from 'koa-session/mongodb'
import { mysqlStore } from 'koa-session/mysql'
import { postgresStore } from 'koa-session/postgres'
import { redisStore } from 'koa-session/redis'
import { sqliteStore } from 'koa-session/sqlite'
import { digest } from '../../src/codec/digest.ts'

const method = async () => ({ rows: [], rowCount: 0 })
const database = { exec() {}, prepare: () => ({ run: () => ({ changes: 0 }), all: () => [] }) }
const commands = ['getItem', 'putItem', 'updateItem', 'deleteItem', 'query', 'scan']
const dynamodb = Object.fromEntries(commands.map(name => [name, method]))
const express = { get() {}, set() {}, destroy() {} }

const MAKERS: Readonly<Record<string, (options?: never) => unknown>> = {
  memoryStore,
  redisStore: options => redisStore({ hgetall: method, evalsha: method, eval: method }, options),
  sqliteStore: options => sqliteStore(database, options),
  postgresStore: options => postgresStore({ query: method }, options),
  mysqlStore: options => mysqlStore({ execute: async () => [[]], query: method }, options),
  dynamodbStore: options => dynamodbStore(dynamodb as never, options),
  kvStore: options => kvStore(new Map(), options),
  connectStore: options => connectStore(express, options),
  migrate: options => migrate(express, memoryStore(), options),
}

for (const [maker, make] of Object.entries(MAKERS)) {
  test(`${maker} refuses an option that it does not know, and names those that it does`, () => {
    for (const name of ['ttls', 'maxAge', 'hashids', 'prefixes', 'constructor']) {
      const message = new RegExp(`^${maker}: unknown option ${name}, expected one of .*now`)
      assert.throws(() => make({ [name]: 1 } as never), { code: 'ERR_SESSION_OPTION', message })
    }
  })

  test(`${maker} refuses options that are no object, and does not show them`, () => {
    for (const [shown, options] of [
      ['null', null],
      ['a number', 1],
      ['a string', 'redis://:password@host'],
      ['an array', []],
      ['a function', () => 1],
    ] as const) {
      const message = `${maker}: options were ${shown}, expected an object`
      assert.throws(() => make(options as never), { code: 'ERR_SESSION_OPTION', message })
    }
  })
}

const WHICH: ReadonlyArray<readonly [which: unknown, message: string]> = [
  [{ only: undefined }, 'destroyAll: only was undefined, expected the handle of a session'],
  [{ except: undefined }, 'destroyAll: except was undefined, expected the id of a session'],
  [{ only: null }, 'destroyAll: only was null, expected the handle of a session'],
  [{ except: 5 }, 'destroyAll: except was a number, expected the id of a session'],
  [{ only: ['a'] }, 'destroyAll: only was an array, expected the handle of a session'],
  [{ handle: 'a' }, 'destroyAll: unknown option handle, expected one of only, except'],
  [{ excepts: 'a' }, 'destroyAll: unknown option excepts, expected one of only, except'],
  ['a handle', 'destroyAll: options were a string, expected an object'],
  [0, 'destroyAll: options were a number, expected an object'],
]

for (const [which, message] of WHICH) {
  test(`destroyAll(user, ${JSON.stringify(which)}) ends nothing: ${message}`, () => {
    const memory = memoryStore()
    memory.create('id', { members: {}, lifetime: {}, subject: digest('ada') }, 1000)
    for (const store of [memory, migrate(express, memory)]) {
      assert.throws(() => store.destroyAll('ada', which as never), { code: 'ERR_SESSION_OPTION', message })
    }
    assert.equal(memory.list('ada').length, 1)
  })
}

const HASHES: ReadonlyArray<readonly [subjectHash: unknown, what: string]> = [
  [{ $ne: null }, 'an object'],
  [{ $gt: '' }, 'an object'],
  [['a'], 'an array'],
  [5, 'a number'],
  [true, 'a boolean'],
]

for (const [subjectHash, what] of HASHES) {
  test(`a subjectHash is a text, and ${JSON.stringify(subjectHash)}, which would be a query to MongoDB, is refused`, () => {
    const store = memoryStore()
    const whose = { subjectHash } as never
    const message = `memoryStore: a subjectHash was ${what}, expected the text that a record or an event has, or undefined for nobody`
    for (const ask of [
      () => store.list(whose),
      () => store.destroyAll(whose),
      () => store.destroyAll(whose, { only: 'a' }),
    ])
      assert.throws(ask, { code: 'ERR_SESSION_OPTION', message })
  })
}

test('a subjectHash that was kept as JSON null is nobody, who has no sessions', () => {
  const asked: unknown[] = []
  const find = (filter: unknown) => ({ toArray: async () => asked.push(filter) && [] })
  const methods = ['findOne', 'aggregate', 'insertOne', 'updateOne', 'replaceOne', 'findOneAndUpdate', 'deleteOne']
  const others = [...methods, 'deleteMany', 'listIndexes', 'createIndex'].map(name => [name, method])
  const store = mongoStore({ ...Object.fromEntries(others), find } as never)
  const whose = { subjectHash: null } as never
  assert.deepEqual([store.list(whose), store.destroyAll(whose)], [[], 0])
  assert.deepEqual(asked, [], 'to MongoDB, null is every session without a subject')
})

test('a list takes no cursor, and a walk does', () => {
  const memory = memoryStore()
  const message = 'list: unknown option after, expected one of limit'
  assert.throws(() => memory.list('ada', { after: '0' } as never), { code: 'ERR_SESSION_OPTION', message })
  memory.all({ after: '0' })
})

test('a list of secrets that was not set is no reason to keep a session readable', () => {
  for (const [maker, make] of Object.entries(MAKERS)) {
    if (maker === 'connectStore' || maker === 'migrate') continue
    for (const seal of ['', null, false]) {
      const message = new RegExp(`^${maker}: seal is `)
      assert.throws(() => make({ seal } as never), { code: 'ERR_SESSION_KEYS', message })
    }
  }
})
