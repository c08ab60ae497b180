/*
 * Hands to scripts/test.mjs what ran on which server, for the table at its end: a line of JSON each, in a file of this
 * process in the folder that it names by `TEST_REPORT`. Nothing is written when a file of tests is run on its own.
 */
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { after, describe, type TestContext } from 'node:test'
import { available, type ServerName } from './available.ts'

/** What the tests of a row have in common: `{ store: 'redis', client: 'ioredis 5.11.1', server: 'redis-server 7.0.15' }`. */
export interface Row {
  store: string
  client: string
  server: string
}

/** What did not run, and why; or how many tests passed and failed. */
type Result = { missing: string } | { passed: number; failed: number }

/**
 * The tests of one row: `test` is node's, and counts. To be called in the suite that the tests are in, or outside of
 * any: the row is handed in when that has ended.
 */
export function row(what: Row): { test(title: string, run: (t: TestContext) => unknown): void } {
  let started = 0
  let passed = 0
  after(() => report(what, { passed, failed: started - passed }))
  return {
    test(title, run) {
      test(title, async t => {
        started++
        await run(t)
        passed++
      })
    },
  }
}

/** Hands in a row that did not run. Not a skipped test: what can't be on this Node is no gap. */
export function missingRow(what: Row, missing: string): void {
  report(what, { missing })
}

/**
 * A suite that needs a server. Where the server can't be had it is skipped and the table says why; with `CI=true` it
 * fails, because there everything has been installed. Of one that nobody has to have there is a line in the table alone.
 */
export function suiteOn(name: ServerName, title: string, body: (server: string) => void): void {
  const server = available(name)
  if (server.missing === undefined) {
    describe(title, () => body(server.title))
    return
  }
  const { missing } = server
  report({ store: '', client: '', server: server.title }, { missing })
  if (server.isOptional) return
  if (process.env.CI === 'true') {
    test(title, () => {
      throw new Error(missing)
    })
  } else {
    test(title, { skip: missing })
  }
}

function report(what: Row, result: Result): void {
  const folder = process.env.TEST_REPORT
  if (folder) appendFileSync(join(folder, `${process.pid}.jsonl`), `${JSON.stringify({ ...what, ...result })}\n`)
}
