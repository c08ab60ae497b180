/*
 * What is measured: this package with each of its stores, and the peers with the store that their documentation names,
 * all of the same settings. Each answers the same paths, and does the same there; the clients of one backend are the same
 * version, but koa-redis brings an ioredis of its own.
 */

import { randomBytes } from 'node:crypto'
import cookie from '@fastify/cookie'
import fastifySession from '@fastify/session'
import MongoSessions from 'connect-mongo'
import pgSession from 'connect-pg-simple'
import { RedisStore } from 'connect-redis'
import express from 'express'
import expressSession from 'express-session'
import Fastify from 'fastify'
import Redis from 'ioredis'
import Koa from 'koa'
import koaRedis from 'koa-redis'
import session7 from 'koa-session-7'
import Database from 'libsql'
import { MongoClient } from 'mongodb'
import pg from 'pg'
import { createClient } from 'redis'
import { dynamodbStore } from '../../dist/dynamodb.mjs'
import session8 from '../../dist/index.mjs'
import { memoryStore } from '../../dist/memory.mjs'
import { mongoStore } from '../../dist/mongodb.mjs'
import { postgresStore } from '../../dist/postgres.mjs'
import { redisStore } from '../../dist/redis.mjs'
import { sqliteStore } from '../../dist/sqlite.mjs'
import { sessions, user } from './session.mjs'

const secret = randomBytes(32).toString('base64url')
const MAX_AGE = 86_400_000

const look = ({ session }) => JSON.stringify({ user: session.user, n: session.n, last: session.last })

function planted(path) {
  return ({ session }) => {
    Object.assign(session, sessions[path])
    return user
  }
}

/**
 * What a path does with the session of a Koa context, an Express request or a Fastify request; what it gives is the body,
 * of one length but for `/look`. To end a session is another thing in each.
 */
const pages = {
  '/untouched': () => user,
  '/read': ({ session }) => String(session.user),
  '/write'({ session }) {
    session.n++
    return user
  },
  '/visit'({ session }) {
    session.user = user
    return user
  },
  '/plant': planted('/plant'),
  '/plant/many': planted('/plant/many'),
  '/look': look,
}
const barePages = { '/read': () => user, '/write': () => user, '/visit': () => user }

function onKoa(session, { maxAge = MAX_AGE, ...options } = {}) {
  const app = new Koa({ keys: [secret] })
  if (session) app.use(session({ maxAge, ...options }, app))
  const answers = session ? { ...pages, '/out': endOnKoa } : barePages
  app.use(ctx => {
    ctx.body = answers[ctx.path](ctx)
  })
  return app.callback()
}

function endOnKoa(ctx) {
  ctx.session = null
  return user
}

function onExpress(store, { rolling }) {
  const app = express()
  const options = { secret, store, rolling, cookie: { maxAge: MAX_AGE }, resave: false, saveUninitialized: false }
  if (store) app.use(expressSession(options))
  const answers = store ? pages : barePages
  app.use((request, response, next) => {
    if (request.path !== '/out') return response.send(answers[request.path](request))
    return request.session.destroy(error => (error ? next(error) : response.send(user)))
  })
  return app
}

async function onFastify(store, { rolling }) {
  const app = Fastify()
  if (store) {
    app.register(cookie)
    const options = { secret, store, rolling, cookie: { maxAge: MAX_AGE, secure: false }, saveUninitialized: false }
    app.register(fastifySession, options)
  }
  for (const [path, page] of Object.entries(store ? pages : barePages)) {
    app.get(path, (request, reply) => {
      reply.send(page(request))
    })
  }
  if (store) app.get('/out', request => request.session.destroy().then(() => user))
  await app.ready()
  return app.routing
}

async function ours(store, options, disconnect = () => undefined) {
  await store.setup?.()
  const close = async () => {
    await store.close?.()
    await disconnect()
  }
  // As a site has it that lists the sessions of a user, and ends them.
  const subject = options.hasSubject ? session => session.user : undefined
  return { listener: onKoa(session8, { store, subject, rolling: options.rolling, maxAge: options.maxAge }), close }
}

const nodeRedis = async url => {
  const client = await createClient({ url }).connect()
  return { client, close: () => client.close() }
}

/** By name: what it is on, where it keeps its sessions, and how it is opened. */
export const variants = {
  koa: { framework: 'koa', open: () => ({ listener: onKoa() }) },
  express: { framework: 'express', open: () => ({ listener: onExpress(undefined, {}) }) },
  fastify: { framework: 'fastify', open: async () => ({ listener: await onFastify(undefined, {}) }) },

  'koa-session 8, redis': {
    framework: 'koa',
    backend: 'redis',
    isOurs: true,
    async open(options) {
      const { client, close } = await nodeRedis(options.urls.redis)
      return ours(redisStore(client), options, close)
    },
  },
  'koa-session 8, ioredis': {
    framework: 'koa',
    backend: 'redis',
    isOurs: true,
    open(options) {
      const client = new Redis(options.urls.redis)
      return ours(redisStore(client), options, () => client.quit())
    },
  },
  'koa-session 7.0.2, koa-redis': {
    framework: 'koa',
    backend: 'redis',
    open({ urls, rolling }) {
      const store = koaRedis({ url: urls.redis })
      return { listener: onKoa(session7, { store, rolling }), close: () => store.quit() }
    },
  },
  'express-session, connect-redis': {
    framework: 'express',
    backend: 'redis',
    async open(options) {
      const { client, close } = await nodeRedis(options.urls.redis)
      return { listener: onExpress(new RedisStore({ client, prefix: 'express:' }), options), close }
    },
  },
  '@fastify/session, connect-redis': {
    framework: 'fastify',
    backend: 'redis',
    async open(options) {
      const { client, close } = await nodeRedis(options.urls.redis)
      return { listener: await onFastify(new RedisStore({ client, prefix: 'fastify:' }), options), close }
    },
  },

  'koa-session 8, postgres': {
    framework: 'koa',
    backend: 'postgres',
    isOurs: true,
    open(options) {
      const { urls, sweepEvery } = options
      const pool = new pg.Pool({ connectionString: urls.postgres })
      return ours(postgresStore(pool, { sweepEvery }), options, () => pool.end())
    },
  },
  'express-session, connect-pg-simple': {
    framework: 'express',
    backend: 'postgres',
    open(options) {
      const pool = new pg.Pool({ connectionString: options.urls.postgres })
      const Store = pgSession(expressSession)
      const store = new Store({ pool, createTableIfMissing: true })
      const close = async () => {
        await store.close()
        await pool.end()
      }
      return { listener: onExpress(store, options), close }
    },
  },

  'koa-session 8, mongodb': {
    framework: 'koa',
    backend: 'mongodb',
    isOurs: true,
    open(options) {
      const { urls, database } = options
      const client = new MongoClient(urls.mongodb)
      return ours(mongoStore(client.db(database).collection('sessions')), options, () => client.close())
    },
  },
  'express-session, connect-mongo': {
    framework: 'express',
    backend: 'mongodb',
    async open(options) {
      const { urls, database } = options
      const client = new MongoClient(urls.mongodb)
      const store = MongoSessions.create({ client, dbName: database, collectionName: 'express' })
      return { listener: onExpress(store, options), close: () => client.close() }
    },
  },

  'koa-session 8, dynamodb': {
    framework: 'koa',
    backend: 'dynamodb',
    isOurs: true,
    // Dynalite stands for DynamoDB, and has a speed of its own.
    isTimed: false,
    async open(options) {
      const { DynamoDB } = await import('@aws-sdk/client-dynamodb')
      const credentials = { accessKeyId: 'bench', secretAccessKey: 'bench' }
      const client = new DynamoDB({ endpoint: options.urls.dynamodb, region: 'eu-central-1', credentials })
      // It has no time to live.
      client.updateTimeToLive = async () => ({})
      return ours(dynamodbStore(client), options, () => client.destroy())
    },
  },

  'koa-session 8, sqlite (libsql)': {
    framework: 'koa',
    backend: 'sqlite',
    isOurs: true,
    open(options) {
      const { urls, sweepEvery } = options
      const db = new Database(urls.sqlite)
      db.pragma('journal_mode = WAL')
      return ours(sqliteStore(db, { sweepEvery }), options, () => db.close())
    },
  },
  'koa-session 8, memory': {
    framework: 'koa',
    backend: 'memory',
    isOurs: true,
    open: options => ours(memoryStore(), options),
  },
}

/** Those of `names` that are not this package's, on the backend of `name`. */
export const peersOf = (name, names) =>
  names.filter(peer => !variants[peer].isOurs && variants[peer].backend === variants[name].backend)
