import assert from 'node:assert/strict'
import test from 'node:test'
import { redisStore } from 'koa-session/redis'
import { POLICY } from '../../../src/stores/redis/eviction.ts'

const SUBJECT = 'A'.repeat(43)
const RECORD = { members: {}, lifetime: {}, subject: SUBJECT }

/** A client whose server has this policy, and which answers `saved` to all else. */
function clientOf(policy: string) {
  const evalSha = async (sha: string, { keys: [key = ''] }: { keys: string[] }) =>
    `${key.slice(-8)}\0${sha === POLICY.sha ? policy : 'saved'}`
  return { hGetAll: async () => ({}), eval: evalSha, evalSha }
}

test('what Redis may evict is told once, with what to do', async t => {
  const { mock } = t.mock.method(process, 'emitWarning', () => {})
  const rows: ReadonlyArray<readonly [policy: string, warning: RegExp | undefined]> = [
    ['noeviction', undefined],
    ['volatile-lru', /evict sessions \(maxmemory-policy volatile-lru\).*to noeviction.*store\.sweep\(\)/],
    ['allkeys-lfu', /evict any key \(maxmemory-policy allkeys-lfu\).*list\(\) and destroyAll\(\).*to noeviction/],
    ['', /does not say its maxmemory-policy.*list\(\) and destroyAll\(\).*command INFO/],
  ]
  for (const [policy, warning] of rows) {
    mock.resetCalls()
    for (const _ of [1, 2]) {
      const store = redisStore(clientOf(policy))
      await store.create('a', { ...RECORD, subject: undefined }, 1000, { ctx: undefined })
      for (const id of ['a', 'b']) await store.create(id, RECORD, 1000, { ctx: undefined })
    }
    const told = mock.calls.map(({ arguments: [message] }) => String(message))
    assert.equal(told.length, warning ? 1 : 0, policy)
    if (warning) assert.match(told[0] ?? '', warning)
  }
})

test('a sweep goes through the subjects that begin with any character of base64url, to the end', async t => {
  t.mock.method(process, 'emitWarning', () => {})
  const asked: string[] = []
  const { hGetAll } = clientOf('')
  const evalSha = async (sha: string, { keys: [key = ''] }: { keys: string[] }) => {
    const mark = `${key.slice(-8)}\0`
    if (sha === POLICY.sha) return `${mark}volatile-lru`
    asked.push(key)
    // The cursor, of which 0 is the end.
    return mark + (asked.filter(one => one === key).length === 2 ? '0' : '7')
  }
  assert.equal(await redisStore({ hGetAll, eval: evalSha, evalSha }).sweep(), 0)
  const beginnings = Array.from({ length: 64 }, (_, at) => Buffer.from([at << 2]).toString('base64url')[0])
  assert.deepEqual(asked.sort(), beginnings.flatMap(one => [`sess:@@${one}`, `sess:@@${one}`]).sort())
})
