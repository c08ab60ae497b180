/**
 * Runs under Bun: the contract, the races, and what several statements do, on `bun:sqlite`. Prints a line of JSON for each
 * test, since what node:test is there has neither suites nor a table.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type SqliteDatabase, sqliteStore } from 'koa-session/sqlite'
import { type Capability, manualClock, storeContract } from 'koa-session/testing'
import { proveParallel } from '../stores/support/parallel.ts'

const { Database }: { Database: new (file: string) => SqliteDatabase & { close(): void } } = createRequire(
  import.meta.url,
)('bun:sqlite')

const CAPABILITIES: readonly Capability[] = ['keys', 'versions', 'retire', 'subjects', 'all', 'order']
const folder = mkdtempSync(join(tmpdir(), 'koa-session-bun-'))
const file = join(folder, 'sessions.db')
const databases = [1, 2].map(() => {
  const db = new Database(file)
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA busy_timeout = 5000')
  return db
})
const clock = manualClock()
const open = (at = 0, now?: () => number) => {
  const db = databases[at]
  if (!db) throw new Error('there is no database')
  return sqliteStore(db, { sweepEvery: false, now })
}
await open().setup()
// It finds what it made.
await open().setup()

interface Test {
  readonly name: string
  run(): unknown
}
const tests: Test[] = [...storeContract({ clock, open: () => open(0, clock.now), capabilities: CAPABILITIES })]
proveParallel(
  (name, run) => {
    tests.push({ name, run: () => played(run) })
  },
  () => [open(0), open(1)],
)

/** With what these tests use of the context of one of node:test. */
async function played(run: (t: never) => unknown): Promise<void> {
  const stops: Array<() => unknown> = []
  try {
    await run({ after: (stop: () => unknown) => stops.push(stop) } as never)
  } finally {
    for (const stop of stops.reverse()) await stop()
  }
}

for (const { name, run } of tests) {
  const fault = await Promise.resolve()
    .then(run)
    .then(() => undefined, String)
  console.log(JSON.stringify({ name, fault }))
}
for (const db of databases) db.close()
rmSync(folder, { recursive: true })
