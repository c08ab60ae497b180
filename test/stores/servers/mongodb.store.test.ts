/** What is particular to a store in MongoDB: what is in a document, commands, indexes, settings, sizes, old documents. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, type TestContext } from 'node:test'
import MongoSessions from 'connect-mongo'
import type { Store, StoredRecord } from 'koa-session'
import { connectStore, type ExpressStore } from 'koa-session/connect'
import { migrate } from 'koa-session/migrate'
import { type MongoCollection, type MongoStoreOptions, mongoStore } from 'koa-session/mongodb'
import { manualClock } from 'koa-session/testing'
import { MongoClient } from 'mongodb'
import mongoose from 'mongoose'
import { versionOfPackage } from '../../servers/found.ts'
import { addressOf, foreignUrl, type MongodbServer, newName, startMongodb } from '../../servers/mongodb.ts'
import { row, suiteOn } from '../../servers/report.ts'
import { newSecret } from '../../support/secrets.ts'
import { serve } from '../../support/story.ts'
import { HOSTILE, useAll } from '../sql/suite.ts'
import { tellVisitor } from '../support/connect.ts'
import { digestOf as digest, proveContractInTime, TTL_OF_SECONDS } from '../support/contract.ts'
import { proveForgotten } from '../support/forgotten.ts'
import { proveReseal } from '../support/reseal.ts'
import { proveReuse } from '../support/reuse.ts'
import { FAULTS, type FaultyProxy, startProxy } from './mongodb/proxy.ts'

const HOUR = 3_600_000
const CALL = { ctx: undefined, rolling: false, changed: true }
const lifetime = { _maxAge: HOUR }
const ADA: StoredRecord = { members: { user: '"ada"', cart: '[1]' }, lifetime, subject: digest('ada') }
const PATCH = { set: {}, unset: [], lifetime, keepsEmpty: false }
const OPTION = 'ERR_SESSION_OPTION'

suiteOn('mongodb', 'what is particular to MongoDB', title => {
  let server: MongodbServer
  let proxy: FaultyProxy
  let client: MongoClient
  /** One whose settings are what a store must not depend on, through the proxy. */
  let odd: MongoClient
  const database = newName('koa_session')
  before(async () => {
    server = await startMongodb()
    const { host, port } = addressOf(server.url)
    proxy = await startProxy(port, host)
    client = new MongoClient(server.url)
    const settings = 'w=1&readPreference=secondaryPreferred'
    odd = new MongoClient(`mongodb://127.0.0.1:${proxy.port}/?replicaSet=rs&${settings}`)
  })
  after(async () => {
    await client.db(database).dropDatabase()
    await Promise.all([client.close(), odd.close()])
    await proxy.stop()
    await server.stop()
  })

  const { test } = row({ store: 'mongodb', client: `mongodb ${versionOfPackage('mongodb')}`, server: title })
  const collectionOf = (name = newName()) => client.db(database).collection(name)
  const open = (options: MongoStoreOptions = {}, collection = collectionOf()) => ({
    collection,
    store: mongoStore(collection, options),
    all: () => collection.find().toArray(),
  })
  /** A store whose commands are seen. */
  const openSeen = (name = newName()) => mongoStore(odd.db(database).collection(name))

  const reused = newName()
  proveReuse(test, { open: options => open(options, collectionOf(reused)).store as Required<Store>, hasClock: true })

  describe('sealing anew', () => {
    proveReseal(test, async () => {
      const collection = collectionOf()
      return { store: (seal, options) => mongoStore(collection, { ...options, ...(seal && { seal }) }) }
    })
  })

  proveForgotten(test, () => {
    const { store, all } = open()
    return { store, dump: async () => JSON.stringify(await all()) }
  })

  test('two applications in one database, each with a collection, have nothing of each other', async () => {
    const [shop, forum] = [open().store, open().store]
    for (const store of [shop, forum]) await store.create('a', ADA, HOUR, CALL)
    assert.equal(await shop.destroyAll('ada'), 1)
    assert.equal(await shop.read('a', CALL), undefined)
    assert.equal((await forum.list('ada')).length, 1)
    assert.equal(await shop.clear(), 0)
    assert.equal(await forum.count(), 1)
  })

  test('a session is one document of strings, numbers and dates, and a tombstone keeps no member', async () => {
    const now = Date.now() + HOUR
    const { store, all } = open({ now: () => now })
    await store.create('id', ADA, HOUR, CALL)
    const [{ u, ...kept } = assert.fail('there is none')] = await all()
    assert.deepEqual(kept, {
      ...{
        _id: digest('id'),
        m: { user: '"ada"', cart: '[1]' },
        l: '[null,3600000,null,null,null]',
        v: 0,
        s: digest('ada'),
      },
      ...{ c: now, n: now, e: new Date(now + HOUR) },
    })
    assert.match(String(u), /^[\w-]{8}$/)
    await store.retire('id', { successor: 'next' }, HOUR, CALL)
    const [{ r, ...tombstone } = assert.fail('there is none')] = await all()
    assert.deepEqual(tombstone, {
      ...{ _id: digest('id'), m: {}, v: 1, s: digest('ada'), c: now, n: now },
      e: new Date(now + HOUR),
    })
    assert.deepEqual({ ...r, u: '' }, { t: new Date(now), n: digest('next'), u: '' })
  })

  test('names and ids that mean something to MongoDB are only names, and look like nothing else', async () => {
    const { store, all } = open({ hashIds: false })
    const members = Object.fromEntries(HOSTILE.map((name, index) => [name, String(index)]))
    for (const id of HOSTILE) assert.equal(await store.create(id, { members, lifetime }, HOUR, CALL), true)
    for (const id of HOSTILE) assert.deepEqual({ ...(await store.read(id, CALL))?.members }, { ...members })
    for (const { _id, m } of await all()) {
      for (const name of [String(_id), ...Object.keys(m)]) assert.match(name, /^[!-~]+$/)
      for (const name of Object.keys(m)) assert.doesNotMatch(name, /^_|[.$]/)
    }
  })

  test('every read asks the primary, every write a majority, and each that looks for a session the instant', async () => {
    const store = openSeen()
    proxy.commands()
    await store.create('id', ADA, HOUR, CALL)
    await store.create('id', ADA, HOUR, CALL)
    await store.read('id', CALL)
    await store.patch('id', { ...PATCH, set: { cart: '[2]' }, version: 0 }, HOUR, CALL)
    await store.patch('id', { ...PATCH, unset: ['cart'] }, HOUR, CALL)
    await store.touch('id', lifetime, HOUR, CALL)
    await store.set('id', { user: 'ada' }, HOUR, CALL)
    await store.retire('id', {}, HOUR, CALL)
    await store.read('id', CALL)
    await store.list('ada')
    await store.destroy('id', CALL)
    await store.destroyAll('ada')
    await store.sweep()
    const { names, bodies } = proxy.commands()
    assert.deepEqual(new Set(names), new Set(['insert', 'find', 'update', 'findAndModify', 'aggregate', 'delete']))
    for (const [index, body] of bodies.entries()) {
      const isRead = names[index] === 'find' || names[index] === 'aggregate'
      // To a server that stands alone a driver says that any will do.
      if (isRead) assert.match(String(body.$readPreference?.mode ?? 'primary'), /^primary/, names[index])
      else assert.deepEqual(body.writeConcern, { w: 'majority' }, names[index])
      const filter = body.filter ?? body.query ?? body.updates?.[0]?.q
      if (names[index] === 'update' && filter.e.$lte === undefined)
        assert.deepEqual(Object.keys(filter).slice(0, 3), ['_id', 'e', 'r'])
    }
  })

  test('it sends the commands of the rights that the documents name, and no others', async t => {
    // By the right of each command: https://www.mongodb.com/docs/manual/reference/command/
    const RIGHTS: Readonly<Record<string, readonly string[]>> = {
      ...{ find: ['find'], getMore: ['find'], aggregate: ['find'], listIndexes: ['listIndexes'] },
      ...{ insert: ['insert'], update: ['update'], findAndModify: ['find', 'update'], delete: ['remove'] },
    }
    const monitored = new MongoClient(server.url, { monitorCommands: true })
    t.after(() => monitored.close())
    const sent = new Set<string>()
    const collection = monitored.db(database).collection(newName())
    await mongoStore(collection).setup()
    monitored.on('commandStarted', ({ commandName }) => sent.add(commandName))
    const [old, secret] = [newSecret(), newSecret()]
    await useAll(mongoStore(collection, { seal: [old] }))
    const store = mongoStore(collection, { seal: [secret, old] })
    await store.create('g', ADA, -1, CALL)
    await store.create('g', ADA, HOUR, CALL)
    await store.reseal()
    for await (const _ of store.all());
    await store.count()
    await store.clear()
    sent.delete('endSessions')
    const unknown = [...sent].filter(name => !(name in RIGHTS))
    assert.deepEqual(unknown, [])
    const page = readFileSync(new URL('../../../docs/stores/mongodb.md', import.meta.url), 'utf8')
    const [, named = ''] = /actions: \[([^\]]*)\]/.exec(page) ?? []
    const rights = [...sent].flatMap(name => RIGHTS[name] ?? [])
    assert.deepEqual([...new Set(rights)].sort(), [...named.matchAll(/\w+/g)].map(String).sort())
  })

  test('an option names another write concern', async () => {
    const store = mongoStore(odd.db(database).collection(newName()), {
      writeConcern: { w: 1, journal: true, wtimeoutMS: 500 },
    })
    proxy.commands()
    await store.create('id', ADA, HOUR, CALL)
    assert.deepEqual(proxy.commands().bodies[0]?.writeConcern, { w: 1, j: true, wtimeout: 500 })
    const { store: default_ } = {
      store: mongoStore(odd.db(database).collection(newName()), { writeConcern: { journal: true } }),
    }
    await default_.create('id', ADA, HOUR, CALL)
    assert.deepEqual(proxy.commands().bodies[0]?.writeConcern, { w: 'majority', j: true })
  })

  test('a read, a change, a new session and a sign-out are one command each, as with connect-mongo', async () => {
    const name = newName()
    const store = openSeen()
    const old = MongoSessions.create({ client: odd, dbName: database, collectionName: name, autoRemove: 'disabled' })
    const other = connectStore(old as unknown as ExpressStore)
    const id = 'x'.repeat(32)
    const payload = { user: 'ada', cart: [1], ...lifetime }
    const large = JSON.stringify('x'.repeat(4096))
    const record = { ...ADA, members: { ...ADA.members, large } }
    const rows: Record<string, readonly [ours: () => unknown, theirs: () => unknown]> = {
      create: [() => store.create(id, record, HOUR, CALL), () => other.set(id, { ...payload, large }, HOUR)],
      read: [() => store.read(id, CALL), () => other.get(id)],
      change: [
        () => store.patch(id, { ...PATCH, set: { cart: '[2]' }, version: 0 }, HOUR, CALL),
        () => other.set(id, { ...payload, cart: [2], large }, HOUR),
      ],
      extend: [() => store.touch(id, lifetime, HOUR, CALL), () => other.set(id, { ...payload, large }, HOUR)],
      'sign out': [() => store.destroy(id, CALL), () => other.destroy(id)],
    }
    for (const [what, [ours, theirs]] of Object.entries(rows)) {
      proxy.commands()
      await ours()
      const own = proxy.commands()
      await theirs()
      const others = proxy.commands()
      assert.equal(own.names.length, 1, what)
      assert.equal(others.names.length, 1, what)
      if (what === 'change' || what === 'extend')
        assert.ok(own.bytes < others.bytes / 4, `${what}: ${own.bytes} bytes, ${others.bytes}`)
    }
  })

  test('however the collection is set, values are those of JavaScript', async () => {
    const name = newName()
    const raw = { raw: true, promoteValues: false, promoteLongs: false }
    const collection = client.db(database).collection(name, raw)
    const store = mongoStore(collection)
    await store.create('id', ADA, HOUR, CALL)
    assert.ok(Buffer.isBuffer(await collection.findOne()), 'it gives bytes of itself')
    assert.equal(await store.patch('id', { ...PATCH, unset: ['cart'], version: 0 }, HOUR, CALL), 'saved')
    assert.equal((await store.read('id', CALL))?.version, 1)
    assert.equal((await store.list('ada'))[0]?.data.user, 'ada')
    await store.retire('id', {}, HOUR, CALL)
    assert.equal(typeof (await store.read('id', CALL))?.retiredFor, 'number')
  })

  test('a client that answers bytes, or in another shape, is told', async () => {
    const { collection } = open()
    const answering = (answers: object) => Object.assign(Object.create(collection), answers) as MongoCollection
    const rows: ReadonlyArray<readonly [RegExp, object, (store: ReturnType<typeof mongoStore>) => unknown]> = [
      [/answered bytes, as with raw: true/, { findOne: async () => Buffer.alloc(9) }, store => store.read('id', CALL)],
      [/answered an array/, { findOne: async () => [] }, store => store.read('id', CALL)],
      [/without a number matchedCount/, { updateOne: async () => undefined }, store => store.touch('id', {}, 1, CALL)],
      [/without a number deletedCount/, { deleteOne: async () => ({ n: 1 }) }, store => store.destroy('id', CALL)],
      [/in place of a list/, { find: () => ({ toArray: async () => null }) }, store => store.list('ada')],
    ]
    for (const [message, answers, act] of rows) {
      await assert.rejects(async () => act(mongoStore(answering(answers))), { code: OPTION, message })
    }
  })

  test('an error of BSON is one of the store, without what the driver has put beside its message', async () => {
    const { collection } = open()
    const error = Object.assign(new Error('secret data'), { name: 'BSONError', doc: { user: 'ada' } })
    const store = mongoStore(Object.assign(Object.create(collection), { updateOne: () => Promise.reject(error) }))
    await assert.rejects(
      async () => store.touch('id', {}, 1, CALL),
      (error: Error & { code: string; cause: object }) => {
        assert.equal(error.code, 'ERR_SESSION_STORE')
        assert.match(error.message, /could not write or read BSON: give the store a collection of the official driver/)
        assert.equal('doc' in error.cause, false)
        return true
      },
    )
  })

  test('a sign-out that did not reach a majority is the error of its request', async t => {
    const subject = ({ user }: Record<string, unknown>) => user as string | undefined
    const { visitor, errors } = await serve(t, () => ({ store: openSeen(), subject, now: Date.now }))
    await visitor.get('/in')
    const other = visitor.copy()
    proxy.fail('delete', FAULTS.writeConcern)
    assert.equal((await visitor.get('/out')).status, 500)
    assert.match(String(errors[0]), /failed in destroy\(\).*waiting for replication timed out/)
    assert.equal((await other.get('/')).text, 'nobody', 'on the primary it is done')
  })

  test('driver 5 before 5.7 puts what it found into an object', async () => {
    const { collection } = open()
    const old = Object.assign(Object.create(collection), {
      findOneAndUpdate: (filter: object, change: object, options: object) =>
        collection.findOneAndUpdate(filter, change, { ...options, includeResultMetadata: true }),
    })
    const store = mongoStore(old)
    await store.create('id', ADA, HOUR, CALL)
    assert.equal(await store.patch('id', { ...PATCH, unset: ['cart'] }, HOUR, CALL), 'saved')
    assert.equal(await store.patch('id', { ...PATCH, unset: ['user'] }, HOUR, CALL), 'emptied')
    assert.equal(await store.patch('id', { ...PATCH, unset: ['user'] }, HOUR, CALL), 'gone')
  })

  test('what is no collection is refused at start, and no address is shown', () => {
    const { collection } = open()
    const Model = mongoose.model(newName('Model'), new mongoose.Schema({ v: Number }))
    const rows: ReadonlyArray<readonly [unknown, RegExp]> = [
      [Model, /a model of mongoose.*connection\.collection\(name\)/],
      [mongoose, /was mongoose, expected/],
      [mongoose.connection, /a connection of mongoose/],
      [client, /a MongoClient.*db\(\)\.collection\(name\)/],
      [client.db(database), /a Db.*collection\(name\)/],
      ['mongodb://user:password@127.0.0.1/', /collection was of type string/],
      [undefined, /expected a collection of mongodb or of mongoose/],
      [{ findOne() {} }, /expected a collection/],
    ]
    for (const [given, message] of rows) {
      assert.throws(
        () => mongoStore(given as never),
        (error: Error & { code: string }) => {
          assert.equal(error.code, OPTION)
          assert.match(error.message, message)
          assert.doesNotMatch(error.message, /password/)
          return true
        },
      )
    }
    const options: ReadonlyArray<readonly [object, RegExp]> = [
      [{ writeConcern: { w: 0 } }, /writeConcern\.w was 0, expected 'majority', a positive integer/],
      [{ writeConcern: 'majority' }, /writeConcern: options were/],
      [{ writeConcern: { wtimeout: 5 } }, /unknown option wtimeout/],
      [{ table: 'sessions' }, /unknown option table/],
      [{ now: 5 }, /now was 5/],
    ]
    for (const [given, message] of options)
      assert.throws(() => mongoStore(collection, given as never), { code: OPTION, message })
  })

  test('setup() makes the two indexes, and changes nothing afterwards', async () => {
    const { store, collection } = open()
    await Promise.all([store.setup(), store.setup()])
    await store.setup()
    const indexes = await collection.listIndexes().toArray()
    assert.deepEqual(
      indexes.map(({ name, expireAfterSeconds, partialFilterExpression }) => ({
        name,
        expireAfterSeconds,
        partialFilterExpression,
      })),
      [
        { name: '_id_', expireAfterSeconds: undefined, partialFilterExpression: undefined },
        { name: 'e_1', expireAfterSeconds: 0, partialFilterExpression: undefined },
        { name: 's_1', expireAfterSeconds: undefined, partialFilterExpression: { s: { $exists: true } } },
      ],
    )
    const looking = Object.assign(Object.create(collection), {
      createIndex: () => assert.fail('it makes an index that is there'),
    })
    await mongoStore(looking).setup()
  })

  test('an index that differs is an error that names it, and stays as it is', async () => {
    const rows: ReadonlyArray<readonly [string, Record<string, 1>, object]> = [
      ['e_1', { e: 1 }, { expireAfterSeconds: 60 }],
      ['mine', { e: 1 }, { name: 'mine' }],
      ['s_1', { s: 1 }, { unique: true }],
      ['s_1', { other: 1 }, { name: 's_1' }],
    ]
    for (const [name, keys, options] of rows) {
      const { store, collection } = open()
      await collection.createIndex(keys, options)
      const was = await collection.listIndexes().toArray()
      await assert.rejects(store.setup(), { code: OPTION, message: new RegExp(`an index ${name} that differs`) })
      assert.deepEqual(
        (await collection.listIndexes().toArray()).filter(index => index.name === name),
        was.filter(index => index.name === name),
      )
    }
  })

  test('setup() takes a collection that is not there for one without indexes, and names the right that is missing', async () => {
    const answer = (code: number, codeName: string) => ({ ok: 0, code, codeName, errmsg: codeName })
    const seen = async (answers: Record<string, object>) => {
      for (const [command, given] of Object.entries(answers)) proxy.answers.set(command, given)
      proxy.commands()
      try {
        await openSeen().setup()
        return proxy.commands().names
      } finally {
        proxy.answers.clear()
      }
    }
    assert.deepEqual(await seen({ listIndexes: answer(26, 'NamespaceNotFound') }), [
      'listIndexes',
      'createIndexes',
      'createIndexes',
    ])
    for (const [command, right] of [
      ['listIndexes', 'listIndexes'],
      ['createIndexes', 'createIndex'],
    ] as const) {
      await assert.rejects(seen({ [command]: answer(13, 'Unauthorized') }), {
        code: 'ERR_SESSION_STORE',
        message: new RegExp(`needs the right ${right}, which`),
      })
    }
    for (const code of [85, 86]) {
      await assert.rejects(seen({ createIndexes: answer(code, 'IndexOptionsConflict') }), {
        code: OPTION,
        message: /index e_1/,
      })
    }
    await assert.rejects(seen({ listIndexes: answer(11600, 'InterruptedAtShutdown') }), { code: 11600 })
    // A user without the right to make one, where both are there.
    const name = newName()
    await mongoStore(collectionOf(name)).setup()
    proxy.answers.set('createIndexes', answer(13, 'Unauthorized'))
    await openSeen(name).setup()
    proxy.answers.clear()
  })

  test('a session over 16 MB is an error of its own, and what was saved before stays', async () => {
    const { store } = open()
    const text = JSON.stringify('é'.repeat(8_500_000))
    const error = {
      code: 'ERR_SESSION_TOO_LARGE',
      message: /more than the 16 MB that MongoDB keeps.*what was saved before is still there/,
    }
    await assert.rejects(async () => store.create('new', { ...ADA, members: { text } }, HOUR, CALL), error)
    assert.equal(await store.read('new', CALL), undefined)
    await store.create('id', ADA, HOUR, CALL)
    await assert.rejects(async () => store.patch('id', { ...PATCH, set: { text } }, HOUR, CALL), error)
    await assert.rejects(async () => store.set('id', { text: JSON.parse(text) }, HOUR, CALL), error)
    assert.deepEqual({ ...(await store.read('id', CALL))?.members }, { ...ADA.members })
    const seen = openSeen()
    for (const code of [10334, 17419, 17420]) {
      proxy.answers.set('update', { ok: 0, code, errmsg: 'Resulting document after update is larger than 16777216' })
      await assert.rejects(async () => seen.patch('id', { ...PATCH, set: { cart: '[2]' } }, HOUR, CALL), error)
    }
    proxy.answers.clear()
  })

  test('sweep() deletes what has expired, by the clock of the server or of the store, and says how many there were', async () => {
    const { store, collection } = open()
    await store.create('over', ADA, -1, CALL)
    await store.create('there', ADA, HOUR, CALL)
    assert.equal(await collection.countDocuments(), 2)
    assert.equal(await store.sweep(), 1)
    assert.equal(await store.sweep(), 0)
    const later = mongoStore(collection, { now: () => Date.now() + 2 * HOUR })
    assert.equal(await later.sweep(), 1)
    assert.equal(await later.sweep(), 0)
    assert.equal(await open().store.sweep(), 0, 'there is no collection')
  })

  test('what has expired and was not deleted yet is not listed, ended or named', async () => {
    const { now, advance } = manualClock(Date.now())
    const { store, collection } = open({ now })
    await store.create('id', ADA, HOUR, CALL)
    await store.create('longer', ADA, 2 * HOUR, CALL)
    await store.retire('longer', { successor: 'none' }, 2 * HOUR, CALL)
    advance(HOUR)
    assert.equal(await collection.countDocuments(), 2)
    assert.deepEqual(await store.list('ada'), [])
    assert.equal(await store.destroyAll('ada'), 0)
    assert.equal(await store.destroyAll('ada', { only: digest('id') }), 0)
  })

  test('a session that gets a new id behind the cursor is listed', async () => {
    const { store, collection } = open()
    await store.create('a', ADA, HOUR, CALL)
    await store.create('z', ADA, HOUR, CALL)
    const lists: number[] = []
    const moving = Object.assign(Object.create(collection), {
      find: (filter: object, options: object) => ({
        async toArray() {
          lists.push(0)
          const found = await collection.find(filter, options).toArray()
          if (lists.length > 1) return found
          // As a cursor may give it that has passed the place of the new one, and then comes to the old one.
          await store.create('m', ADA, HOUR, CALL)
          await store.retire('z', { successor: 'm' }, HOUR, CALL)
          const [old] = await collection.find({ _id: digest('z') as never }).toArray()
          return [...found.filter(({ _id }) => String(_id) !== digest('z')), old]
        },
      }),
    })
    const handles = (await mongoStore(moving).list('ada')).map(({ handle }) => handle)
    assert.deepEqual(handles.sort(), ['a', 'm'].map(digest).sort())
  })

  test('mongoose gives a collection before it is connected', async t => {
    const connection = mongoose.createConnection()
    t.after(() => connection.close())
    const store = mongoStore(connection.collection(newName()))
    const waiting = Promise.all([
      store.setup(),
      store.create('id', ADA, HOUR, CALL),
      store.list('nobody'),
      store.read('other', CALL),
    ])
    await connection.openUri(server.url, { dbName: database })
    assert.deepEqual((await waiting).slice(1), [true, [], undefined])
    assert.equal((await store.list('ada')).length, 1)
    await store.retire('id', {}, HOUR, CALL)
    assert.equal(typeof (await store.read('id', CALL))?.retiredFor, 'number')
  })

  describe('connect-mongo', () => {
    const versions = `connect-mongo ${versionOfPackage('connect-mongo')}`
    const { test } = row({ store: 'connect', client: versions, server: title })
    const openOld = (collectionName = newName('old'), options: object = {}) =>
      MongoSessions.create({
        client,
        dbName: database,
        collectionName,
        autoRemove: 'disabled',
        ...options,
      }) as unknown as ExpressStore

    const shared = newName('contract')
    proveContractInTime(test, { open: () => connectStore(openOld(shared)), ttl: TTL_OF_SECONDS, inTime: !foreignUrl })

    test('a visitor signs in, counts and signs out', async t => {
      await tellVisitor(t, openOld(), Date.now)
    })

    for (const stringify of [true, false]) {
      test(`its documents are moved when they are used, stringify: ${stringify}`, async t => {
        await moves(t, stringify)
      })
    }

    async function moves(_: TestContext, stringify: boolean) {
      const name = newName('old')
      const from = connectStore(openOld(name, { stringify }))
      const payload = { user: 'ada', cart: { apples: 2 }, _expire: Date.now() + HOUR, _maxAge: HOUR }
      for (const id of ['one', 'two', 'three']) await from.set(id, payload, HOUR)
      const { store: to, collection } = open()
      const store = migrate(from, to)
      const record = await store.read('one', CALL)
      assert.deepEqual({ ...record?.members }, { user: '"ada"', cart: '{"apples":2}' })
      assert.deepEqual(record?.lifetime, { _expire: payload._expire, _maxAge: HOUR })
      assert.equal(await from.get('one'), undefined)
      const kept = await collection.findOne({ _id: digest('one') as never })
      assert.ok(Math.abs(Number(kept?.e) - payload._expire - 10_000) < 1000, 'it lives as long as it would have')
      assert.equal(await store.patch('two', { ...PATCH, set: { user: '"bob"' } }, HOUR, CALL), 'saved')
      assert.equal(await store.create('three', ADA, HOUR, CALL), false, 'an id that is there is taken')
      await store.destroy('three', CALL)
      assert.equal(await store.read('three', CALL), undefined)
      assert.equal(await client.db(database).collection(name).countDocuments(), 0)
      assert.equal(await store.read('never', CALL), undefined)
    }
  })
})
