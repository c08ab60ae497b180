/*
 * What stands for MongoDB and for DynamoDB, each with a store on it: mongo-java-server in memory, and npm's dynalite. They
 * speak the protocols, and their speed is not that of the real ones.
 */

import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { MongoClient } from 'mongodb'
import { dynamodbStore } from '../../dist/dynamodb.mjs'
import { mongoStore } from '../../dist/mongodb.mjs'
import { findDynalite, startDynalite } from '../../test/servers/dynalite.ts'
import { dynamodbOn } from '../../test/servers/dynamodb-client.ts'
import { findMongodb, newName, startMongodb } from '../../test/servers/mongodb.ts'
import { createAll, insertAll } from './fill.mjs'

const CONNECTIONS = 32

export async function mongodb({ now }) {
  const server = await startMongodb({ heap: '1g' })
  const client = new MongoClient(server.url, { maxPoolSize: CONNECTIONS })
  const collection = client.db('bench').collection(newName())
  const open = seal => mongoStore(collection, { now, seal })
  return {
    title: `MongoDB ${findMongodb().version}, mongodb`,
    durability: 'none: in the memory of a server that stands for MongoDB',
    open,
    sweep: () => open().sweep(),
    async fill({ seal, ...sessions }) {
      await open().setup()
      const noting = note => {
        const insertOne = async one => note('', one)
        return mongoStore(Object.create(collection, { insertOne: { value: insertOne } }), { now, seal })
      }
      await insertAll(noting, (_, rows) => collection.insertMany(rows, { ordered: false }), sessions)
    },
    bytes: async () => (await client.db('bench').command({ collStats: collection.collectionName })).size,
    async close() {
      await client.close()
      await server.stop()
    },
  }
}

export async function dynamodb({ now }) {
  const server = await startDynalite()
  const client = dynamodbOn(server.url)
  const open = seal => dynamodbStore(client, { now, seal })
  const sizeOf = place =>
    readdirSync(place, { withFileTypes: true }).reduce((sum, entry) => {
      const path = join(place, entry.name)
      return sum + (entry.isDirectory() ? sizeOf(path) : statSync(path).size)
    }, 0)
  return {
    title: `DynamoDB (dynalite ${findDynalite().version}), @aws-sdk/client-dynamodb`,
    durability: 'files of LevelDB, of a server that stands for DynamoDB',
    open,
    async fill({ seal, ...sessions }) {
      const store = open(seal)
      await store.setup()
      await createAll(store, { ...sessions, inFlight: CONNECTIONS })
    },
    bytes: () => sizeOf(join(server.folder, 'data')),
    async close() {
      client.destroy()
      await server.stop()
    },
  }
}
