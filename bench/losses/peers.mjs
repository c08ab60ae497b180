/*
 * One small application for each package, with the store that its documentation names: all answer the same paths and
 * do the same there, so that what is lost is lost by the session and its store.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import cookie from '@fastify/cookie'
import fastifySession from '@fastify/session'
import { RedisStore } from 'connect-redis'
import express from 'express'
import expressSession from 'express-session'
import Fastify from 'fastify'
import Redis from 'ioredis'
import Koa from 'koa'
import koaRedis from 'koa-redis'
import session7 from 'koa-session-7'
import Database from 'libsql'
import mysql from 'mysql2/promise'
import pg from 'pg'
import { createClient } from 'redis'
import session8 from '../../dist/index.mjs'
import { memoryStore } from '../../dist/memory.mjs'
import { mysqlStore } from '../../dist/mysql.mjs'
import { postgresStore } from '../../dist/postgres.mjs'
import { redisStore } from '../../dist/redis.mjs'
import { sqliteStore } from '../../dist/sqlite.mjs'

const secret = 'a secret of the benchmark, long enough'
const maxAge = 3_600_000

/** What a path does with a session: `update` is the atomic form, where there is one; `end` signs out. */
const pages = {
  '/in': ({ session }) => {
    session.user = 'ada'
  },
  '/set': async ({ session, query, work }) => {
    await work()
    session[query.key] = 1
  },
  '/count': async ({ session, work, update }) => {
    const increment = draft => {
      draft.n = (draft.n ?? 0) + 1
    }
    await work()
    if (update) return update(increment)
    increment(session)
  },
  '/slow': async ({ session, query }) => {
    session.seen = Number(query.key)
    await sleep(Number(query.wait))
  },
  '/out': ({ end }) => end(),
  '/all': () => undefined,
}

// A handler that waits for something, as most do: long enough that all are under way before the first has ended.
const work = () => sleep(500)
const dataOf = session => {
  const { cookie, ...data } = session ?? {}
  return data
}

function onKoa(session, options, { atomic = false } = {}) {
  const app = new Koa({ keys: [secret] })
  app.use(session({ maxAge, ...options }, app))
  app.use(async ctx => {
    const end = () => {
      ctx.session = null
    }
    const update = atomic ? change => ctx.session.update(change) : undefined
    await pages[ctx.path]({ session: ctx.session, query: ctx.query, work, update, end })
    ctx.body = dataOf(ctx.session)
  })
  return app.callback()
}

async function connected(url) {
  const client = await createClient({ url }).connect()
  return { store: new RedisStore({ client }), close: () => client.destroy() }
}

export const peers = {
  'koa-session 7.0.2, koa-redis': async ({ redis }) => {
    const store = koaRedis({ url: redis })
    return { listener: onKoa(session7, { store }), close: () => store.quit() }
  },

  'express-session, connect-redis': async ({ redis }) => {
    const { store, close } = await connected(redis)
    const app = express()
    app.use(expressSession({ secret, store, cookie: { maxAge }, resave: false, saveUninitialized: false }))
    app.use(async (request, response) => {
      const { session, query, path } = request
      const end = () => new Promise(resolve => session.destroy(resolve))
      await pages[path]({ session, query, work, end })
      response.json(dataOf(request.session))
    })
    return { listener: app, close }
  },

  '@fastify/session, connect-redis': async ({ redis }) => {
    const { store, close } = await connected(redis)
    const app = Fastify()
    app.register(cookie)
    app.register(fastifySession, { secret, store, cookie: { maxAge, secure: false }, saveUninitialized: false })
    for (const [path, page] of Object.entries(pages)) {
      app.get(path, async ({ session, query }) => {
        await page({ session, query, work, end: () => session.destroy() })
        const keys = query.keys?.split(',') ?? []
        return Object.fromEntries(keys.map(key => [key, session.get(key)]))
      })
    }
    await app.ready()
    return { listener: app.routing, close }
  },

  'koa-session 8, memory': async () => ours(memoryStore()),

  'koa-session 8, sqlite (libsql)': async () => {
    const db = new Database(':memory:')
    return ours(sqliteStore(db), () => db.close())
  },

  'koa-session 8, redis': async ({ redis }) => {
    const client = await createClient({ url: redis }).connect()
    return ours(redisStore(client), () => client.destroy())
  },

  'koa-session 8, redis (ioredis)': async ({ redis }) => {
    const client = new Redis(redis)
    return ours(redisStore(client, { prefix: 'ioredis:' }), () => client.disconnect())
  },

  'koa-session 8, postgres': async ({ postgres }) => {
    const pool = new pg.Pool({ connectionString: postgres })
    return ours(postgresStore(pool), () => pool.end())
  },

  'koa-session 8, mysql (MariaDB)': async ({ mysql: url }) => {
    const pool = mysql.createPool(url)
    return ours(mysqlStore(pool), () => pool.end())
  },
}

async function ours(store, disconnect = () => undefined) {
  await store.setup?.()
  const close = async () => {
    await store.close?.()
    await disconnect()
  }
  return { listener: onKoa(session8, { store }, { atomic: true }), close }
}
