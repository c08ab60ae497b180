import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import type { ServerName } from '../../servers/available.ts'
import { ended } from '../../servers/process.ts'
import { row, suiteOn } from '../../servers/report.ts'

/** Longer (ms) than what is left behind has to end by itself, and long enough for a machine that is busy. */
const PATIENCE = 20_000

interface Case {
  claim: string
  name: ServerName
  start: string
  /** What the tests do before they end. */
  first: string
  isKilled: boolean
}

const CASES: readonly Case[] = [
  {
    claim: 'a server ends when its tests are killed',
    name: 'redis',
    start: 'startRedis()',
    first: '',
    isKilled: true,
  },
  {
    claim: 'a server that nobody stops does not keep its tests waiting, and ends with them',
    name: 'redis',
    start: 'startRedis()',
    first: '',
    isKilled: false,
  },
  {
    claim: 'a server that hangs ends with its children when its tests are killed',
    name: 'postgres-npm',
    start: "startPostgres({ source: 'npm' })",
    first: "await server.kill('SIGSTOP')",
    isKilled: true,
  },
]

for (const { claim, name, ...how } of CASES) {
  suiteOn(name, name, server => {
    row({ store: '(nothing left behind)', client: '', server }).test(claim, async () => {
      const tests = testsThat(how)
      const exit = once(tests, 'exit')
      const [said] = await once(tests.stdout, 'data')
      const { pids, folder } = JSON.parse(String(said))
      if (how.isKilled) tests.kill('SIGKILL')
      await exit
      assert.equal(await ended(pids, PATIENCE), true)
      for (const deadline = Date.now() + PATIENCE; existsSync(folder) && Date.now() < deadline; ) await wait(20)
      assert.equal(existsSync(folder), false)
    })
  })
}

/** A process that starts a server and says which processes that is, and where. */
function testsThat({ start, first, isKilled }: Pick<Case, 'start' | 'first' | 'isKilled'>) {
  const script = `
    import { startPostgres } from './test/servers/postgres.ts'
    import { family } from './test/servers/process.ts'
    import { startRedis } from './test/servers/redis.ts'
    const server = await ${start}
    ${first}
    process.stdout.write(JSON.stringify({ pids: family(server.pid), folder: server.folder }))
    ${isKilled ? 'setInterval(() => undefined, 1000)' : ''}`
  const args = ['--import', 'tsx', '--input-type=module', '--eval', script]
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
}
