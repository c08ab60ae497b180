/** Sessions in Redis: one server, a sentinel before it, a cluster; by each client, and by a store of express-session. */
import assert from 'node:assert/strict'
import { after, before, describe } from 'node:test'
import { RedisStore } from 'connect-redis'
import { Redis } from 'ioredis'
import type { Store } from 'koa-session'
import { connectStore } from 'koa-session/connect'
import { type RedisClient, redisStore } from 'koa-session/redis'
import { createClient } from 'redis'
import { versionOfPackage } from '../../servers/found.ts'
import { startRedis } from '../../servers/redis.ts'
import { row, suiteOn } from '../../servers/report.ts'
import type { Server } from '../../servers/server.ts'
import { newSecret } from '../../support/secrets.ts'
import { type Backends, type Connected, KINDS, type Kind, startBackends } from '../redis/clients.ts'
import { memorySuite } from '../redis/memory.ts'
import { redisSuite } from '../redis/suite.ts'
import { useAll } from '../sql/suite.ts'
import { tellVisitor } from '../support/connect.ts'
import { digestOf, proveContractInTime, SECRETS, TTL_OF_SECONDS, UNORDERED } from '../support/contract.ts'
import { aclIn } from '../support/grants.ts'
import { proveParallel } from '../support/parallel.ts'
import { proveReseal } from '../support/reseal.ts'
import { proveReuse } from '../support/reuse.ts'

const HOUR = 3_600_000
const CALL = { ctx: undefined, rolling: false, changed: true }
const BEHIND = { single: '', sentinel: ', a sentinel', cluster: ', a cluster of 6' }

suiteOn('redis', 'stores in Redis', title => {
  let backends: Backends
  before(async () => {
    backends = await startBackends()
  })
  after(() => backends.stop())

  for (const kind of KINDS) proveKind(kind, title, () => backends)

  describe('connect-redis', () => {
    const versions = ['connect-redis', 'redis'].map(name => `${name} ${versionOfPackage(name)}`)
    const { test } = row({ store: 'connect', client: versions.join(', '), server: title })
    let client: ReturnType<typeof createClient>
    before(async () => {
      client = createClient({ url: backends.single.url })
      await client.connect()
    })
    after(() => client.close())

    proveContractInTime(test, { open: () => connectStore(new RedisStore({ client })), ttl: TTL_OF_SECONDS })

    test('a visitor signs in, counts, signs out and expires', async t => {
      const { other, id, errors } = await tellVisitor(t, new RedisStore({ client }), Date.now)
      assert.ok((await client.pTTL(`sess:${id}`)) > HOUR)
      await other.get('/short')
      const ttl = await client.pTTL(`sess:${id}`)
      assert.ok(ttl > 5_000 && ttl <= 11_000, `lives for ${ttl} ms`)
      await client.set(`sess:${id}`, '{"user":')
      assert.equal((await other.get('/')).text, 'nobody')
      assert.deepEqual(errors, [])
    })
  })

  describe('a user with the rights that the documents name', () => {
    const user = { username: 'app_user', password: 'password' }
    before(async () => {
      const admin = new Redis(backends.single.port)
      await admin.call('ACL', 'SETUSER', ...aclIn())
      await admin.quit()
    })

    row({ store: 'redis', client: `redis ${versionOfPackage('redis')}`, server: title }).test(
      'may do all that a store asks, by redis, and no more',
      async t => {
        const client = createClient({ url: backends.single.url, ...user })
        await client.connect()
        t.after(() => client.destroy())
        await useAll(redisStore(client))
        await useReseal(client)
        await assert.rejects(client.keys('*'), /NOPERM/)
        await assert.rejects(client.hGetAll('other'), /NOPERM/)
      },
    )

    row({ store: 'redis', client: `ioredis ${versionOfPackage('ioredis')}`, server: title }).test(
      'may do all that a store asks, by ioredis',
      async t => {
        const client = new Redis({ port: backends.single.port, ...user })
        t.after(() => client.disconnect())
        const errors: unknown[] = []
        client.on('error', error => errors.push(error))
        await useAll(redisStore(client))
        await useReseal(client)
        assert.deepEqual(errors, [])
      },
    )
  })

  describe('what is particular to Redis', () => {
    const { client = '' } = KINDS[0] ?? {}
    redisSuite(row({ store: 'redis', client, server: title }).test, () => backends.single)
  })

  for (const { client, connect } of KINDS.filter(({ isUsual, server }) => isUsual && server === 'single')) {
    describe(`what Redis does without memory, ${client}`, () => {
      memorySuite(row({ store: 'redis', client, server: title }).test, single => connect({ ...backends, single }))
    })
  }
})

// One server of each, with the clients that most applications have.
for (const [name, source] of [
  ['redis-newer', 'newer'],
  ['valkey', 'valkey'],
] as const) {
  suiteOn(name, `stores in ${name}`, title => {
    let single: Server
    before(async () => {
      single = await startRedis({ source })
    })
    after(() => single.stop())

    const kinds = KINDS.filter(({ server, isUsual }) => server === 'single' && isUsual)
    // The others are not asked for.
    for (const kind of kinds) proveKind(kind, title, () => ({ single }) as Backends)

    describe('what is particular to Redis', () => {
      const { client = '' } = KINDS[0] ?? {}
      redisSuite(row({ store: 'redis', client, server: title }).test, () => single, source)
    })
  })
}

/** What holds with each kind of client. */
function proveKind({ client, server, isUsual, connect }: Kind, title: string, backendsOf: () => Backends): void {
  const name = `${client}${BEHIND[server]}`
  describe(name, () => {
    const { test } = row({ store: 'redis', client, server: `${title}${BEHIND[server]}` })
    const connections: Connected[] = []
    before(async () => {
      for (const _ of [1, 2]) connections.push(await connect(backendsOf()))
    })
    after(() => Promise.all(connections.map(({ close }) => close())))

    const prefix = `${name}:`
    const stores = () => connections.map(({ client }) => redisStore(client, { prefix }))
    const [storeOf, clientOf] = [() => stores()[0], () => connections[0]?.client]

    proveContractInTime(test, {
      inTime: isUsual,
      open: () => found(storeOf()),
      capabilities: UNORDERED,
      corrupt: id => corrupt(found(clientOf()), prefix + digestOf(id)),
    })

    test('a server that has no script is given it', async () => {
      const store = found(storeOf())
      const lifetime = { _maxAge: HOUR }
      const patch = { set: { cart: '[2]' }, unset: [], lifetime, keepsEmpty: false }
      await store.create('a', { members: { cart: '[1]' }, lifetime }, HOUR, CALL)
      for (const verdict of ['saved', 'saved']) {
        await forget(server === 'cluster' ? backendsOf().cluster.ports : [backendsOf().single.port])
        assert.equal(await store.patch('a', patch, HOUR, CALL), verdict)
      }
      assert.equal((await store.read('a', CALL))?.members.cart, '[2]')
    })

    let places = 0
    proveReseal(test, async () => {
      const place = { client: found(clientOf()), prefix: `${name} [${++places}]*:` }
      return { store: (seal, more) => redisStore(place.client, { prefix: place.prefix, seal, ...more }) }
    })

    if (isUsual) {
      proveParallel(test, stores)
      for (const kind of [{}, { seal: SECRETS }]) {
        const open = (options = {}) => redisStore(found(clientOf()), { prefix, ...kind, ...options }) as Required<Store>
        proveReuse(test, { open, hasClock: true })
      }
    }
  })
}

/** Asks what a store does whose secret is replaced. */
async function useReseal(client: RedisClient): Promise<void> {
  const [old, secret] = [newSecret(), newSecret()]
  const record = { members: { n: '1' }, lifetime: {}, subject: digestOf('ada') }
  await redisStore(client, { seal: [old] }).create('sealed', record, HOUR, CALL)
  const store = redisStore(client, { seal: [secret, old] })
  assert.equal(await store.reseal(), 1)
  assert.equal(await store.destroyAll('ada'), 1)
}

/** Makes the lifetime of a session something that is no JSON. */
async function corrupt(client: RedisClient, key: string): Promise<void> {
  const script = "return redis.call('EXISTS', KEYS[1]) + redis.call('HSET', KEYS[1], 'l', '{')"
  const answer =
    'customCommand' in client
      ? client.customCommand(['EVAL', script, '1', key])
      : 'evalSha' in client
        ? client.eval(script, { keys: [key], arguments: [] })
        : client.eval(script, 1, key)
  assert.equal(Number(await answer), 1)
}

async function forget(ports: readonly number[]): Promise<void> {
  for (const port of ports) {
    const client = new Redis(port)
    await client.script('FLUSH')
    await client.quit()
  }
}

function found<Value>(value: Value | undefined): Value {
  assert.ok(value, 'there is no connection')
  return value
}
