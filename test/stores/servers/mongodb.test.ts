/** Sessions in MongoDB, by the driver of three versions and by mongoose. */
import assert from 'node:assert/strict'
import { after, before, describe } from 'node:test'
import { mongoStore, type MongoCollection as Tested } from 'koa-session/mongodb'
import { manualClock } from 'koa-session/testing'
import { MongoClient } from 'mongodb'
import { MongoClient as MongoClient5 } from 'mongodb5'
import { MongoClient as MongoClient6 } from 'mongodb6'
import mongoose from 'mongoose'
import { versionOfPackage } from '../../servers/found.ts'
import { foreignUrl, type MongodbServer, newName, startMongodb } from '../../servers/mongodb.ts'
import { row, suiteOn } from '../../servers/report.ts'
import { digestOf as digest, proveContract, UNORDERED } from '../support/contract.ts'
import { proveParallel } from '../support/parallel.ts'
import { proveSame } from '../support/same.ts'

/** What is in the past MongoDB deletes. */
const START = foreignUrl ? Date.now() + 10 * 366 * 86_400_000 : undefined

suiteOn('mongodb', 'stores in MongoDB', title => {
  let server: MongodbServer
  const database = newName('koa_session')
  before(async () => {
    server = await startMongodb()
  })
  after(async () => {
    const client = new MongoClient(server.url)
    await client.db(database).dropDatabase()
    await client.close()
    await server.stop()
  })

  interface Opened {
    collection(name: string): Tested
    close(): Promise<void>
  }
  const byDriver = (Client: typeof MongoClient) => async (): Promise<Opened> => {
    const client = new Client(server.url)
    return { collection: name => client.db(database).collection(name), close: () => client.close() }
  }
  const byMongoose = async (): Promise<Opened> => {
    const connection = await mongoose.createConnection(server.url, { dbName: database }).asPromise()
    return { collection: name => connection.collection(name), close: () => connection.close() }
  }
  const CLIENTS: Readonly<Record<string, () => Promise<Opened>>> = {
    mongodb: byDriver(MongoClient),
    mongodb6: byDriver(MongoClient6 as never),
    mongodb5: byDriver(MongoClient5 as never),
    mongoose: byMongoose,
  }

  for (const [name, open] of Object.entries(CLIENTS)) {
    describe(name, () => {
      const client = `${name.replace(/\d/, '')} ${versionOfPackage(name)}`
      const { test } = row({ store: 'mongodb', client, server: title })
      const clock = manualClock(START)
      const opened: Opened[] = []
      const collectionIn = (one: Opened | undefined) => (one ?? assert.fail('it is not open')).collection(`by_${name}`)
      before(async () => {
        for (const _ of [1, 2]) opened.push(await open())
        await mongoStore(collectionIn(opened[0])).setup()
      })
      after(() => Promise.all(opened.map(one => one.close())))

      proveContract(test, {
        clock,
        open: () => mongoStore(collectionIn(opened[0]), { now: clock.now }),
        capabilities: UNORDERED,
        async corrupt(id) {
          const changed = await collectionIn(opened[1]).updateOne({ _id: digest(id) }, { $set: { m: 'no object' } }, {})
          assert.equal(Object(changed).matchedCount, 1)
        },
      })
      if (name !== 'mongodb') return
      proveSame(test, { open: (_, { now }) => mongoStore(collectionIn(opened[0]), { now }), start: START })
      proveParallel(test, () => opened.map(one => mongoStore(collectionIn(one))))
    })
  }
})
