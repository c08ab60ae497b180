/**
 * A process that starts as an application does. Told `{ store, place }` it loads what it needs, told `'go'` it connects,
 * sets the store up and makes a session; each time it says what has failed, or nothing.
 */
import type { RecordStore } from 'koa-session/redis'

export interface Place {
  readonly kind: 'sqlite' | 'postgres' | 'mysql' | 'mongodb'
  /** The file, or the URL of the server. */
  readonly url: string
  /** The client of SQLite. */
  readonly client?: string
}

interface Opened {
  readonly store: RecordStore & { setup(): Promise<void> }
  close(): unknown
}

const HOUR = 3_600_000
const call = { ctx: undefined, rolling: false, changed: true }

const LOAD: Readonly<Record<Place['kind'], (place: Place) => Promise<() => Opened>>> = {
  async sqlite({ url, client }) {
    const [{ sqliteStore }, { sqliteClients }] = await Promise.all([
      import('koa-session/sqlite'),
      import('../../servers/sqlite.ts'),
    ])
    return () => {
      const db = sqliteClients()
        .find(({ title }) => title === client)
        ?.open(url)
      if (!db) throw new Error(`no client ${client}`)
      // In this order, as docs/stores/sqlite.md has it: of twenty that change the mode some would not wait.
      db.exec('PRAGMA busy_timeout = 5000')
      db.exec('PRAGMA journal_mode = WAL')
      return { store: sqliteStore(db), close: () => db.close() }
    }
  },
  async postgres({ url }) {
    const [{ postgresStore }, { default: pg }] = await Promise.all([import('koa-session/postgres'), import('pg')])
    return () => {
      const pool = new pg.Pool({ connectionString: url, max: 2 })
      return { store: postgresStore(pool), close: () => pool.end() }
    }
  },
  async mysql({ url }) {
    const [{ mysqlStore }, mysql] = await Promise.all([import('koa-session/mysql'), import('mysql2/promise')])
    return () => {
      const pool = mysql.createPool({ uri: url, connectionLimit: 2 })
      return { store: mysqlStore(pool), close: () => pool.end() }
    }
  },
  async mongodb({ url }) {
    const [{ mongoStore }, { MongoClient }] = await Promise.all([import('koa-session/mongodb'), import('mongodb')])
    return () => {
      const client = new MongoClient(url)
      return { store: mongoStore(client.db().collection('sessions')), close: () => client.close() }
    }
  },
}

let open: (() => Opened) | undefined

process.on('message', async (told: Place | 'go') => {
  try {
    if (told === 'go') await start()
    else open = await LOAD[told.kind](told)
    process.send?.('')
  } catch (error) {
    process.send?.(String(error))
  }
})
process.on('disconnect', () => process.exit())
process.send?.('')

async function start(): Promise<void> {
  if (!open) throw new Error('it was not told where')
  const { store, close } = open()
  await store.setup()
  const record = { members: { n: '1' }, lifetime: { _maxAge: HOUR } }
  if (!(await store.create(`of ${process.pid}`, record, HOUR, call))) throw new Error('there was such a session')
  await close()
}
