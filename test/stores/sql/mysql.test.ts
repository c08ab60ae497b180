import test from 'node:test'
import mysql from 'mysql2/promise'
import { type MysqlClient, mysqlStore } from '../../../src/stores/sql/mysql.ts'
import { mysqlUrl } from './servers.ts'
import { sqlSuite } from './suite.ts'

test.describe('mysql', { skip: !mysqlUrl && 'no server' }, () => {
  sqlSuite(t => {
    const connect = () => {
      const pool = mysql.createPool({ uri: mysqlUrl ?? '', connectionLimit: 4 })
      t.after(() => pool.end())
      return pool
    }
    const pool = connect()
    return {
      connect(options, before = () => {}) {
        const own = connect()
        const client: MysqlClient = {
          async execute(sql, values) {
            await before(sql)
            return own.execute(sql, values)
          },
          query: sql => own.query(sql),
        }
        return mysqlStore(client, options)
      },
      async run(sql) {
        const [rows] = await pool.query(sql)
        return Array.isArray(rows) ? (rows as Record<string, unknown>[]) : []
      },
      quote: identifier => `\`${identifier}\``,
    }
  })
})
