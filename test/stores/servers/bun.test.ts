/** `bun:sqlite`, which is in Bun alone: the contract and the races run there, by test/clients/contract.ts. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { missingRow, row } from '../../servers/report.ts'

const FOLDER = new URL('../../clients/', import.meta.url)
/** The races send 500 requests at once, and each waits for the others: Bun's own limit is 256. */
const ENVIRONMENT = { ...process.env, BUN_CONFIG_MAX_HTTP_REQUESTS: '2000' }
/** So many tests there are at least: those of the contract, and 8 races. */
const LEAST = 60

const what = { store: 'sqlite', client: 'bun:sqlite', server: 'a file' }
const bun = programOf()
if (bun === undefined) missingRow(what, 'it is not installed: node test/clients/install.mjs')
else {
  const { stdout: version } = await promisify(execFile)(bun, ['--version'])
  const { test } = row({ ...what, client: `bun:sqlite of Bun ${version.trim()}` })
  const { stdout } = await promisify(execFile)(bun, [fileURLToPath(new URL('contract.ts', FOLDER))], {
    env: ENVIRONMENT,
    timeout: 300_000,
  })
  const lines = stdout.split('\n').filter(line => line.startsWith('{'))
  const results: { name: string; fault?: string }[] = lines.map(line => JSON.parse(line))
  for (const { name, fault } of results) test(name, () => assert.equal(fault, undefined))
  test('the contract and the races have run', () => assert.ok(results.length >= LEAST, `${results.length} tests`))
}

/** The program is in a package for each platform. */
function programOf(): string | undefined {
  try {
    return createRequire(FOLDER).resolve(`@oven/bun-${process.platform}-${process.arch}/bin/bun`)
  } catch {
    return undefined
  }
}
