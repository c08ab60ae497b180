/** What becomes of a session when the connection to MongoDB is cut, or a replica set answers that it could not. */
import assert from 'node:assert/strict'
import { after, before, describe, type TestContext } from 'node:test'
import type { StoredRecord } from 'koa-session'
import { type MongoStore, mongoStore } from 'koa-session/mongodb'
import { MongoClient } from 'mongodb'
import { MongoClient as MongoClient5 } from 'mongodb5'
import { versionOfPackage } from '../../servers/found.ts'
import { addressOf, type MongodbServer, newName, startMongodb } from '../../servers/mongodb.ts'
import { row, suiteOn } from '../../servers/report.ts'
import { digestOf as digest } from '../support/contract.ts'
import { FAULTS, type Fault, type FaultyProxy, startProxy } from './mongodb/proxy.ts'

const HOUR = 3_600_000
const CALL = { ctx: undefined, rolling: false, changed: true }
const lifetime = { _maxAge: HOUR }
const ADA: StoredRecord = { members: { user: '"ada"', cart: '[1]' }, lifetime, subject: digest('ada') }
const PATCH = { set: {}, unset: [], lifetime, keepsEmpty: false }
const REPEATED = ['cutBefore', 'cutAfter', 'notPrimary', 'interrupted', 'interruptedAfter'] as const

/** An operation on the session `id`: the command that it sends, what it answers, and what is there before and after it. */
interface Operation {
  readonly command: string
  readonly act: (store: MongoStore) => unknown
  readonly answer: unknown
  readonly before?: StoredRecord
  /** How long (ms) what is there before lives. */
  readonly ttl?: number
  /** The members, `retired`, or nothing. */
  readonly after: object | 'retired' | undefined
  /** Of two commands the one that fails, where a failure leaves members behind that are neither of before nor of after. */
  readonly fails?: 'first' | 'second'
  /** What the driver repeats is repeated whatever `retryWrites` is, or never. */
  readonly isRepeated?: boolean
}

const OPERATIONS: Readonly<Record<string, Operation>> = {
  create: {
    command: 'insert',
    act: store => store.create('id', ADA, HOUR, CALL),
    answer: true,
    after: ADA.members,
  },
  'create in the place of what has expired': {
    command: 'update',
    act: store => store.create('id', ADA, HOUR, CALL),
    answer: true,
    before: { members: { user: '"bob"' }, lifetime },
    ttl: 0,
    after: ADA.members,
  },
  patch: {
    command: 'update',
    act: store => store.patch('id', { ...PATCH, set: { cart: '[2]' }, unset: ['user'] }, HOUR, CALL),
    answer: 'saved',
    before: ADA,
    after: { cart: '[2]' },
  },
  'patch of a version': {
    command: 'update',
    act: store => store.patch('id', { ...PATCH, set: { cart: '[2]' }, version: 0 }, HOUR, CALL),
    answer: 'saved',
    before: ADA,
    after: { ...ADA.members, cart: '[2]' },
  },
  'patch that empties a version': {
    command: 'findAndModify',
    act: store => store.patch('id', { ...PATCH, unset: ['user', 'cart'], version: 0 }, HOUR, CALL),
    answer: 'emptied',
    before: ADA,
    after: undefined,
    fails: 'first',
  },
  'patch that drops what is empty': {
    command: 'delete',
    act: store => store.patch('id', { ...PATCH, unset: ['user', 'cart'] }, HOUR, CALL),
    answer: 'emptied',
    before: ADA,
    after: undefined,
    fails: 'second',
  },
  touch: {
    command: 'update',
    act: store => store.touch('id', lifetime, HOUR, CALL),
    answer: true,
    before: ADA,
    after: ADA.members,
  },
  'retire in favour of a successor': {
    command: 'update',
    act: store => store.retire('id', { version: 0, successor: 'next' }, HOUR, CALL),
    answer: 'saved',
    before: ADA,
    after: 'retired',
  },
  'retire without a successor': {
    command: 'update',
    act: store => store.retire('id', {}, HOUR, CALL),
    answer: 'saved',
    before: ADA,
    after: 'retired',
  },
  set: {
    command: 'update',
    act: store => store.set('id', { user: 'bob' }, HOUR, CALL),
    answer: undefined,
    before: ADA,
    after: { user: '"bob"' },
  },
  'destroy, as a sign-out does': {
    command: 'delete',
    act: store => store.destroy('id', CALL),
    answer: undefined,
    before: ADA,
    after: undefined,
  },
  'destroyAll of two': {
    command: 'delete',
    act: store => store.destroyAll('ada'),
    answer: 2,
    before: ADA,
    after: undefined,
    // It is one command for several sessions.
    isRepeated: false,
  },
  read: {
    command: 'find',
    act: async store => (await store.read('id', CALL))?.members.user,
    answer: '"ada"',
    before: ADA,
    after: ADA.members,
    isRepeated: true,
  },
  list: {
    command: 'find',
    act: async store => (await store.list('ada')).length,
    answer: 2,
    before: ADA,
    after: ADA.members,
    isRepeated: true,
  },
}

suiteOn('mongodb', 'MongoDB that fails', title => {
  let server: MongodbServer
  let proxy: FaultyProxy
  const database = newName('koa_session')
  let direct: MongoClient
  before(async () => {
    server = await startMongodb()
    const { host, port } = addressOf(server.url)
    proxy = await startProxy(port, host)
    direct = new MongoClient(server.url)
  })
  after(async () => {
    await direct.db(database).dropDatabase()
    await direct.close()
    await proxy.stop()
    await server.stop()
  })

  for (const [name, Client] of Object.entries({ mongodb: MongoClient, mongodb5: MongoClient5 })) {
    const { test } = row({ store: 'mongodb, faults', client: `mongodb ${versionOfPackage(name)}`, server: title })

    for (const retryWrites of [true, false]) {
      describe(`${name}, retryWrites=${retryWrites}`, () => {
        let client: InstanceType<typeof Client>
        before(() => {
          // A driver waits for half a second before it looks for a primary again.
          const options = { retryWrites, minHeartbeatFrequencyMS: 20, heartbeatFrequencyMS: 500 } as object
          client = new Client(`mongodb://127.0.0.1:${proxy.port}/?replicaSet=rs`, options)
        })
        after(() => client.close())

        /** A store whose commands go through the proxy, and one on the same collection whose commands do not. */
        function open() {
          const collection = newName('faults')
          const [failing, other] = [client, direct].map(client =>
            mongoStore(client.db(database).collection(collection)),
          )
          assert.ok(failing && other)
          return { failing, other }
        }

        async function stateIn(store: MongoStore): Promise<unknown> {
          const record = await store.read('id', CALL)
          if (record?.retiredAt !== undefined) return 'retired'
          return record && { ...record.members }
        }

        async function prove(t: TestContext, operation: Operation, fault: Fault, isRepeated: boolean) {
          const { command, act, answer, ttl = HOUR, after: expected } = operation
          const { failing, other } = open()
          if (operation.before) await other.create('id', operation.before, ttl, CALL)
          await other.create('second', ADA, HOUR, CALL)
          const was = await stateIn(other)
          await client.db(database).command({ ping: 1 })
          proxy.commands()
          proxy.fail(command, fault)
          const [result] = await Promise.allSettled([act(failing)])
          const { names } = proxy.commands()
          assert.ok(names.includes(command), `it sent ${names}`)
          const state = await stateIn(other)
          t.diagnostic(`${names}: ${result.status}`)
          if (isRepeated) {
            assert.equal(result.status, 'fulfilled', String(Object(result).reason))
            assert.deepEqual(Object(result).value, answer)
          } else assert.equal(result.status, 'rejected')
          if (isRepeated) return assert.deepEqual(state, expected)
          const { fails } = operation
          // The session is left empty where the first of two steps was done.
          if (fails === 'first' ? fault.isDone : fails === 'second' && !fault.isDone) return assert.deepEqual(state, {})
          assert.deepEqual(state, fault.isDone ? expected : was)
        }

        if (retryWrites) {
          const change = (store: MongoStore, members: StoredRecord['members'], version?: number) =>
            store.patch('id', { ...PATCH, set: members, version }, HOUR, CALL)

          test('a change that names a version counts once, whoever changes the session before it is repeated', async () => {
            for (const others of [1, 6]) {
              const { failing, other } = open()
              await other.create('id', ADA, HOUR, CALL)
              const meanwhile = async () => {
                for (let n = 1; n <= others; n++) assert.equal(await change(other, { [`n${n}`]: '1' }, n), 'saved')
              }
              proxy.fail('update', { ...FAULTS.cutAfter, meanwhile })
              assert.equal(await change(failing, { cart: '[2]' }, 0), 'saved')
              const record = await other.read('id', CALL)
              assert.equal(record?.members.cart, '[2]')
              assert.equal(record?.version, 1 + others)
            }
          })

          test('another one’s change is still a conflict, and a session that ended meanwhile is gone', async () => {
            const { failing, other } = open()
            await other.create('id', ADA, HOUR, CALL)
            const meanwhile = () => change(other, { cart: '[9]' }, 0)
            proxy.fail('update', { ...FAULTS.cutBefore, meanwhile })
            assert.equal(await change(failing, { cart: '[2]' }, 0), 'conflict')
            assert.equal((await other.read('id', CALL))?.members.cart, '[9]')
            proxy.fail('update', { ...FAULTS.cutAfter, meanwhile: () => other.destroy('id', CALL) })
            assert.equal(await change(failing, { cart: '[3]' }, 1), 'gone')
            assert.equal(await other.read('id', CALL), undefined)
          })

          test('an id that another process took meanwhile is taken', async () => {
            const { failing, other } = open()
            const meanwhile = () => other.create('id', { members: { user: '"bob"' }, lifetime }, HOUR, CALL)
            proxy.fail('insert', { ...FAULTS.cutBefore, meanwhile })
            assert.equal(await failing.create('id', ADA, HOUR, CALL), false)
            assert.deepEqual(await stateIn(other), { user: '"bob"' })
          })
        }

        for (const [what, operation] of Object.entries(OPERATIONS)) {
          const { isRepeated = retryWrites } = operation
          for (const one of REPEATED) {
            const end = isRepeated ? 'is done once' : 'is an error, and done or not'
            test(`${what}, when the server ${FAULTS[one].title}, ${end}`, t =>
              prove(t, operation, FAULTS[one], isRepeated))
          }
          if (operation.command === 'find') continue
          test(`${what}, when the server ${FAULTS.writeConflict.title}, is done once`, t =>
            prove(t, operation, FAULTS.writeConflict, true))
          test(`${what}, when the server ${FAULTS.writeConcern.title}, is an error`, t =>
            prove(t, operation, FAULTS.writeConcern, false))
        }
      })
    }
  }
})
