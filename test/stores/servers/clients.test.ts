/** The adapters of docs/clients.md, as that page has them, each on the contract. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { after, before } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { PGlite } from '@electric-sql/pglite'
import { type MysqlClient, mysqlStore } from 'koa-session/mysql'
import { type PostgresClient, postgresStore } from 'koa-session/postgres'
import { manualClock } from 'koa-session/testing'
import mariadb from 'mariadb'
import postgres from 'postgres'
import { versionOfPackage } from '../../servers/found.ts'
import { startMariadb } from '../../servers/mariadb.ts'
import { startPostgres } from '../../servers/postgres.ts'
import { row, suiteOn } from '../../servers/report.ts'
import type { Server } from '../../servers/server.ts'
import { useAll } from '../sql/suite.ts'
import { proveContract, UNORDERED } from '../support/contract.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
mkdirSync(join(root, '.cache'), { recursive: true })
const folder = mkdtempSync(join(root, '.cache', 'clients-'))
after(() => rmSync(folder, { recursive: true }))

/** What the page has under that name. */
async function adapter<Client>(name: string): Promise<(client: unknown) => Client> {
  const page = readFileSync(join(root, 'docs/clients.md'), 'utf8')
  const [, code] = new RegExp(`\`\`\`ts\\n// ${name}\\.ts\\n([\\s\\S]*?)\`\`\``).exec(page) ?? []
  const file = join(folder, `${name}.ts`)
  writeFileSync(file, code ?? assert.fail(`the page has no ${name}`))
  const [made] = Object.values(await import(pathToFileURL(file).href))
  return made as (client: unknown) => Client
}

const ofClient = (name: string) => `${name} ${versionOfPackage(name)}`

suiteOn('postgres-npm', 'postgres.js by its adapter', title => {
  const register = row({ store: 'postgres', client: ofClient('postgres'), server: title })
  const clock = manualClock()
  let server: Server
  let sql: ReturnType<typeof postgres>
  let client: PostgresClient
  before(async () => {
    server = await startPostgres({ source: 'npm' })
    sql = postgres(server.url, { onnotice: () => {} })
    client = (await adapter<PostgresClient>('postgres-js'))(sql)
    await postgresStore(client, { sweepEvery: false }).setup()
  })
  after(async () => {
    await sql.end()
    await server.stop()
  })
  proveContract(register.test, {
    clock,
    open: () => postgresStore(client, { sweepEvery: false, now: clock.now }),
    capabilities: UNORDERED,
  })
  register.test('it does not encode JSON twice, and setup() finds what it made', async () => {
    await useAll(postgresStore(client, { table: 'twice', sweepEvery: false }))
    await postgresStore(client, { table: 'twice', sweepEvery: false }).setup()
  })
  register.test('without the adapter it is refused', () => {
    const message =
      /^postgresStore: pool was a client of postgres\.js, expected a Pool or a Client of pg: put the adapter/
    assert.throws(() => postgresStore(sql as never), { code: 'ERR_SESSION_OPTION', message })
  })
})

{
  const register = row({ store: 'postgres', client: 'PGlite', server: ofClient('@electric-sql/pglite') })
  const clock = manualClock()
  let db: PGlite
  let client: PostgresClient
  before(async () => {
    db = new PGlite()
    client = (await adapter<PostgresClient>('pglite'))(db)
    await postgresStore(client, { sweepEvery: false }).setup()
  })
  after(() => db.close())
  proveContract(register.test, {
    clock,
    open: () => postgresStore(client, { sweepEvery: false, now: clock.now }),
    capabilities: UNORDERED,
  })
  register.test('PGlite does all that a store asks', () =>
    useAll(postgresStore(client, { table: 'twice', sweepEvery: false })),
  )
  register.test('PGlite without the adapter is refused', () => {
    const message = /^postgresStore: pool was a database of PGlite, expected .*: put the adapter for it around it/
    assert.throws(() => postgresStore(db as never), { code: 'ERR_SESSION_OPTION', message })
  })
}

suiteOn('mariadb', 'the client of MariaDB by its adapter', title => {
  const register = row({ store: 'mysql', client: ofClient('mariadb'), server: title })
  const clock = manualClock()
  let server: Server
  let pool: ReturnType<typeof mariadb.createPool>
  let client: MysqlClient
  before(async () => {
    server = await startMariadb()
    pool = mariadb.createPool(server.url.replace('mysql:', 'mariadb:'))
    client = (await adapter<MysqlClient>('mariadb'))(pool)
    await mysqlStore(client, { sweepEvery: false }).setup()
  })
  after(async () => {
    await pool.end()
    await server.stop()
  })
  proveContract(register.test, {
    clock,
    open: () => mysqlStore(client, { sweepEvery: false, now: clock.now }),
    capabilities: UNORDERED,
  })
  register.test('without the adapter it is refused', () => {
    const message = /^mysqlStore: pool was a client of mariadb.*, expected .* of mysql2: of mariadb: put the adapter/
    assert.throws(() => mysqlStore(pool as never), { code: 'ERR_SESSION_OPTION', message })
  })
})

test('the page has no adapter that is not run', () => {
  const page = readFileSync(join(root, 'docs/clients.md'), 'utf8')
  const names = [...page.matchAll(/```ts\n\/\/ (.*)\.ts\n/g)].map(([, name]) => name)
  assert.deepEqual(names, ['postgres-js', 'pglite', 'mariadb'])
})
