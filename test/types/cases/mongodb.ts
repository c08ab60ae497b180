// A collection of each version of the driver, and of mongoose, with or without a type of its documents.

import Koa from 'koa'
import session from 'koa-session'
import { type MongoCollection, type MongoStore, type MongoStoreOptions, mongoStore } from 'koa-session/mongodb'
import { MongoClient } from 'mongodb'
import { MongoClient as MongoClient5 } from 'mongodb5'
import { MongoClient as MongoClient6 } from 'mongodb6'
import mongoose from 'mongoose'

interface Own {
  _id: string
  v: number
}

const url = 'mongodb://127.0.0.1'
const options: MongoStoreOptions = {
  hashIds: true,
  seal: ['a secret'],
  now: Date.now,
  writeConcern: { w: 'majority', journal: true, wtimeoutMS: 5000 },
}
const stores: MongoStore[] = [
  mongoStore(new MongoClient(url).db().collection('sessions')),
  mongoStore(new MongoClient(url).db().collection<Own>('sessions'), options),
  mongoStore(new MongoClient6(url).db().collection('sessions')),
  mongoStore(new MongoClient6(url).db().collection<Own>('sessions')),
  mongoStore(new MongoClient5(url).db().collection('sessions')),
  mongoStore(new MongoClient5(url).db().collection<Own>('sessions')),
  mongoStore(mongoose.connection.collection('sessions')),
  mongoStore(mongoose.createConnection(url).collection<Own>('sessions'), { writeConcern: { w: 1 } }),
]
const collection: MongoCollection = new MongoClient(url).db('app').collection('sessions')
for (const store of [...stores, mongoStore(collection)]) session({ store }, new Koa())

export async function use(store: MongoStore): Promise<number> {
  await store.setup()
  await store.destroyAll('ada', { except: 'id' })
  return (await store.sweep()) + (await store.reseal({ batch: 10 }))
}

// @ts-expect-error a database is no collection
mongoStore(new MongoClient(url).db())
// @ts-expect-error nor is a client
mongoStore(new MongoClient(url))
// @ts-expect-error an option of other stores
mongoStore(collection, { table: 'sessions' })
// @ts-expect-error what became of a write has to be known
mongoStore(collection, { writeConcern: 'majority' })
