/** Sessions in MongoDB, by the driver of three versions and by mongoose. */
import assert from 'node:assert/strict'
import { after, before, describe } from 'node:test'
import { mongoStore } from 'koa-session/mongodb'
import { manualClock } from 'koa-session/testing'
import { MongoClient } from 'mongodb'
import { MongoClient as MongoClient5 } from 'mongodb5'
import { MongoClient as MongoClient6 } from 'mongodb6'
import { versionOfPackage } from '../../servers/found.ts'
import { foreignUrl, type MongodbServer, newName, startMongodb } from '../../servers/mongodb.ts'
import { row, suiteOn } from '../../servers/report.ts'
import { digestOf as digest, proveContract, UNORDERED } from '../support/contract.ts'

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

  const DRIVERS = { mongodb: MongoClient, mongodb6: MongoClient6, mongodb5: MongoClient5 } as const
  for (const [name, Client] of Object.entries(DRIVERS)) {
    describe(name, () => {
      const { test } = row({ store: 'mongodb', client: `mongodb ${versionOfPackage(name)}`, server: title })
      const clock = manualClock(START)
      let client: InstanceType<typeof Client>
      const collection = (collection = `sessions_${name}`) => client.db(database).collection(collection)
      before(async () => {
        client = new Client(server.url)
        await mongoStore(collection()).setup()
      })
      after(() => client.close())

      proveContract(test, {
        clock,
        open: () => mongoStore(collection(), { now: clock.now }),
        capabilities: UNORDERED,
        async corrupt(id) {
          const changed = await collection().updateOne({ _id: digest(id) as never }, { $set: { m: 'no object' } })
          assert.equal(changed.matchedCount, 1)
        },
      })
    })
  }
})
