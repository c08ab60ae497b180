import test from 'node:test'
import pg from 'pg'
import { type PostgresClient, postgresStore } from '../../../src/stores/sql/postgres.ts'
import { postgresUrl } from './servers.ts'
import { sqlSuite } from './suite.ts'

test.describe('postgres', { skip: !postgresUrl && 'no server' }, () => {
  sqlSuite(t => {
    const connect = () => {
      const pool = new pg.Pool({ connectionString: postgresUrl, max: 4 })
      t.after(() => pool.end())
      return pool
    }
    const pool = connect()
    return {
      connect(options, before = () => {}) {
        const own = connect()
        const client: PostgresClient = {
          async query(query) {
            await before(query.text)
            return own.query({ ...query })
          },
        }
        return postgresStore(client, options)
      },
      run: async sql => (await pool.query<Record<string, unknown>>(sql)).rows,
      quote: identifier => `"${identifier}"`,
    }
  })
})
