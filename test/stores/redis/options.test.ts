import assert from 'node:assert/strict'
import test from 'node:test'
import { type RedisClient, redisStore } from 'koa-session/redis'

test('a wrong client or option is an error that names it', () => {
  const method = async () => ''
  const good = { hgetall: method, evalsha: method, eval: method }
  const clients = [undefined, null, 1, 'redis://127.0.0.1', {}, () => {}, { ...good, hgetall: 1 }, { evalSha: method }]
  for (const client of clients) {
    assert.throws(() => redisStore(client as RedisClient), {
      code: 'ERR_SESSION_OPTION',
      message: /client of redis, io/,
    })
  }
  const rows: ReadonlyArray<readonly [option: string, value: unknown]> = [
    ['prefix', 1],
    ['prefix', null],
    ['now', 5],
    ['hashIds', 'yes'],
  ]
  for (const [option, value] of rows) {
    assert.throws(() => redisStore(good, { [option]: value }), {
      code: 'ERR_SESSION_OPTION',
      message: new RegExp(`^redisStore: ${option} was`),
    })
  }
  assert.throws(() => redisStore(good, { seal: [] }), { code: 'ERR_SESSION_KEYS', message: /^redisStore: seal is / })
  assert.ok(redisStore(good))
})

test('a client that speaks HTTP is refused, by what it is', () => {
  const client = { hgetall: async () => ({}), evalsha: async () => '', eval: async () => '', autoPipeline() {} }
  const message =
    'redisStore: client was a client of @upstash/redis, expected a client of redis, ioredis, iovalkey or @valkey/valkey-glide: connect to the same database by one of these, see docs/clients.md'
  assert.throws(() => redisStore(client), { code: 'ERR_SESSION_OPTION', message })
})
