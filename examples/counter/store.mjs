// Makes a store from a URL. The client of a database is loaded only when it is asked for, so that nobody has to install
// those of the others.
import { isBuiltin } from 'node:module'
import { setTimeout as wait } from 'node:timers/promises'

const OPEN = { memory, sqlite, redis, rediss: redis, postgres, postgresql: postgres, mysql }
const EXAMPLES = 'memory:, sqlite:./sessions.db, redis://…, postgres://… and mysql://…'
const NAMES = {
  memory: 'the memory of this process',
  sqlite: 'SQLite',
  redis: 'Redis',
  rediss: 'Redis',
  mysql: 'MySQL',
}
const PATIENCE = 10_000

// Gives the store, its name, whether sessions in it outlive this process, and what closes the store and its client.
// Rejects with a message for people when that can't be had.
export async function openStore(url) {
  const scheme = /^(\w+):/.exec(url)?.[1] ?? ''
  // The message must not have the password.
  const shown = url.replace(/\/\/.*@/, '//').replace(/\?.*/, '')
  if (!Object.hasOwn(OPEN, scheme)) throw new Error(`There is no store for ${shown}: there are ${EXAMPLES}`)
  try {
    const opened = await Promise.race([OPEN[scheme](url), giveUp()])
    return { name: NAMES[scheme] ?? 'PostgreSQL', ...opened }
  } catch (error) {
    // Where a name has several addresses and none answers, the error is without a message of its own.
    throw new Error(`The store ${shown} can't be used: ${error.message || error.code}`, { cause: error })
  }
}

async function memory() {
  const { memoryStore } = await import('koa-session/memory')
  return { store: memoryStore(), outlivesProcess: false, close() {} }
}

async function sqlite(url) {
  const { sqliteStore } = await import('koa-session/sqlite')
  const file = url.slice('sqlite:'.length)
  if (file === '') throw new Error('it names no file')
  const db = await openDatabase(file)
  db.exec('PRAGMA busy_timeout = 5000')
  db.exec('PRAGMA journal_mode = WAL')
  return withTable(sqliteStore(db), () => db.close())
}

// Node has one of its own from version 22 on.
async function openDatabase(file) {
  if (isBuiltin('node:sqlite')) {
    const { DatabaseSync } = await import('node:sqlite')
    return new DatabaseSync(file)
  }
  const { default: Database } = await load('libsql')
  return new Database(file)
}

async function redis(url) {
  const { createClient } = await load('redis')
  const { redisStore } = await import('koa-session/redis')
  let wasConnected = false
  const client = createClient({
    url,
    // A server that is away for a while is tried again, but not one that never was there.
    socket: { reconnectStrategy: retries => wasConnected && Math.min(50 * 2 ** retries, 2000) },
    // A request need not wait until it is back to be told that it is away.
    disableOfflineQueue: true,
  })
  // What fails is told by the request that it fails for; without a listener it would end the process.
  client.on('error', () => {})
  await client.connect()
  wasConnected = true
  return { store: redisStore(client), outlivesProcess: true, close: () => client.destroy() }
}

async function postgres(url) {
  const { default: pg } = await load('pg')
  const { postgresStore } = await import('koa-session/postgres')
  const pool = new pg.Pool({ connectionString: url, connectionTimeoutMillis: 5000 })
  // As above: this is of connections that nobody uses at the moment.
  pool.on('error', () => {})
  return withTable(postgresStore(pool), () => pool.end())
}

async function mysql(url) {
  const { createPool } = await load('mysql2/promise')
  const { mysqlStore } = await import('koa-session/mysql')
  const pool = createPool(url)
  return withTable(mysqlStore(pool), () => pool.end())
}

async function withTable(store, closeClient) {
  await store.setup()
  const close = async () => {
    // Its timer first, which deletes what has expired.
    await store.close()
    await closeClient()
  }
  return { store, outlivesProcess: true, close }
}

async function load(client) {
  try {
    return await import(client)
  } catch (error) {
    if (!/MODULE_NOT_FOUND$/.test(error.code)) throw error
    const [name] = client.split('/')
    throw new Error(`the package ${name} is not installed (npm install ${name})`, { cause: error })
  }
}

async function giveUp() {
  await wait(PATIENCE, undefined, { ref: false })
  throw new Error(`it has not answered within ${PATIENCE / 1000} seconds`)
}
