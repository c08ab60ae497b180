/** Backups of PostgreSQL, by pg_dump, which npm's has not. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { after, before } from 'node:test'
import { promisify } from 'node:util'
import { postgresStore } from 'koa-session/postgres'
import type pg from 'pg'
import { versionOfPackage } from '../../servers/found.ts'
import { poolOf } from '../../servers/pool.ts'
import { findPostgres, startPostgres } from '../../servers/postgres.ts'
import { row, suiteOn } from '../../servers/report.ts'
import type { Server } from '../../servers/server.ts'
import { proveBackup } from '../support/backup.ts'

const run = promisify(execFile)

suiteOn('postgres-apt', 'a backup by pg_dump', title => {
  const { folder = '' } = { ...findPostgres('apt') } as { folder?: string }
  let server: Server
  before(async () => {
    server = await startPostgres({ source: 'apt' })
  })
  after(() => server.stop())

  let count = 0
  proveBackup(row({ store: 'postgres', client: `pg ${versionOfPackage('pg')}`, server: title }).test, async t => {
    const table = `sessions_${count++}`
    const file = join(server.folder, `${table}.sql`)
    const place = ['--dbname', server.url]
    const pools: pg.Pool[] = []
    const close = () => Promise.all(pools.splice(0).map(pool => pool.end()))
    t.after(close)
    return {
      async open(now) {
        const pool = poolOf({ connectionString: server.url })
        pools.push(pool)
        const store = postgresStore(pool, { table, now, sweepEvery: false })
        await store.setup()
        return store
      },
      close,
      backup: () => run(join(folder, 'pg_dump'), [...place, '--table', table, '--clean', '--file', file]),
      restore: () => run(join(folder, 'psql'), [...place, '--set', 'ON_ERROR_STOP=1', '--file', file]),
    }
  })
})
