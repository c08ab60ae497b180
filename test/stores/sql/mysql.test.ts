import test from 'node:test'
import mysql from 'mysql2/promise'
import { mysqlStore } from '../../../src/stores/sql/mysql.ts'
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
      connect: options => mysqlStore(connect(), options),
      async run(sql) {
        const [rows] = await pool.query(sql)
        return Array.isArray(rows) ? (rows as Record<string, unknown>[]) : []
      },
      quote: identifier => `\`${identifier}\``,
    }
  })
})
