/** What a store in Redis does when the memory that Redis may take is used up. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { Redis } from 'ioredis'
import type { Patch, StoredRecord } from 'koa-session'
import {
  type GlideClient,
  type IoRedisClient,
  type NodeRedisClient,
  type RedisClient,
  redisStore,
} from 'koa-session/redis'
import { POLICY } from '../../../src/stores/redis/eviction.ts'
import { CREATE, REWRITE } from '../../../src/stores/redis/scripts.ts'
import { startRedis } from '../../servers/redis.ts'
import type { Server } from '../../servers/server.ts'
import { newSecret } from '../../support/secrets.ts'
import { digestOf as digest, type Register } from '../support/contract.ts'
import type { Connected } from './clients.ts'

const HOUR = 3_600_000
const CALL = { ctx: undefined, rolling: false, changed: true }
const LIFETIME = { _maxAge: HOUR }
const ADA: StoredRecord = { members: { user: '"ada"', cart: '[1]' }, lifetime: LIFETIME, subject: digest('ada') }
const PATCH: Patch = { set: {}, unset: [], lifetime: LIFETIME, keepsEmpty: false }

/** A client like `client` that does `first` before each script, whose name that is given. */
function hooked(client: RedisClient, first: (sha: string) => Promise<unknown>): RedisClient {
  if ('customCommand' in client) {
    return {
      customCommand: async ([name = '', sha = '', ...given]) => {
        if (name === 'EVALSHA') await first(sha)
        return client.customCommand([name, sha, ...given])
      },
    } satisfies GlideClient
  }
  if ('evalSha' in client) {
    return {
      hGetAll: key => client.hGetAll(key),
      eval: (source, given) => client.eval(source, given),
      evalSha: (sha, given) => first(sha).then(() => client.evalSha(sha, given)),
    } satisfies NodeRedisClient
  }
  return {
    hgetall: key => client.hgetall(key),
    eval: (source, count, ...given) => client.eval(source, count, ...given),
    evalsha: (sha, count, ...given) => first(sha).then(() => client.evalsha(sha, count, ...given)),
  } satisfies IoRedisClient
}

/** Registers tests, each on a server of its own, to which `connect` connects the client of the store. */
export function memorySuite(register: Register, connect: (server: Server) => Promise<Connected>): void {
  /** A store, and a client that looks at what is there. */
  async function open(t: TestContext, args: readonly string[] = []) {
    const server = await startRedis({ args })
    const { client, close } = await connect(server)
    const direct = new Redis(server.port)
    t.after(async () => {
      await close()
      await direct.quit()
      await server.stop()
    })
    return { store: redisStore(client), direct, client }
  }

  /** The same, with one session, and no memory left. */
  async function openFull(t: TestContext) {
    const opened = await open(t)
    await opened.store.create('ada', ADA, HOUR, CALL)
    await opened.direct.config('SET', 'maxmemory', '1')
    await assert.rejects(opened.direct.set('plain', ''), /^ReplyError: OOM/)
    return opened
  }

  register('a full Redis refuses what makes a session, or a larger one, and nothing of it is left', async t => {
    const { store, direct } = await openFull(t)
    await direct.config('SET', 'maxmemory', '0')
    await direct.hset(`sess:${digest('other')}`, 'not', 'a session')
    await direct.config('SET', 'maxmemory', '1')
    const [keys, session] = [await direct.keys('*'), await direct.hgetall(`sess:${digest('ada')}`)]
    const refused: ReadonlyArray<readonly [claim: string, ask: () => unknown]> = [
      [
        'a session of somebody who is not signed in',
        () => store.create('new', { ...ADA, subject: undefined }, HOUR, CALL),
      ],
      ['a session of a subject', () => store.create('new', { ...ADA, subject: digest('bob') }, HOUR, CALL)],
      ['one more of a subject that has some', () => store.create('new', ADA, HOUR, CALL)],
      ['in place of what is no session', () => store.create('other', ADA, HOUR, CALL)],
      ['a session that is set', () => store.set('new', { user: 'bob' }, HOUR, CALL)],
      ['set in place of what is no session', () => store.set('other', { user: 'bob' }, HOUR, CALL)],
      ['set in place of a smaller one', () => store.set('ada', { user: 'x'.repeat(100) }, HOUR, CALL)],
      ['a new member', () => store.patch('ada', { ...PATCH, set: { a: '1' } }, HOUR, CALL)],
      ['a longer one', () => store.patch('ada', { ...PATCH, set: { user: '"augusta"' } }, HOUR, CALL)],
      ['another subject', () => store.patch('ada', { ...PATCH, subject: digest('bob') }, HOUR, CALL)],
    ]
    for (const [claim, ask] of refused) {
      const error = { code: 'ERR_SESSION_STORE', message: /^redisStore: .*maxmemory/ }
      await assert.rejects(async () => ask(), error, claim)
      assert.deepEqual((await direct.keys('*')).sort(), keys.sort(), claim)
      assert.deepEqual(await direct.zrange(`sess:@${digest('ada')}`, 0, -1), [digest('ada')], claim)
    }
    assert.deepEqual(await direct.hgetall(`sess:${digest('ada')}`), session)
  })

  register('an index whose server has memory left keeps nothing of a session that another one refuses', async t => {
    const { client, direct } = await open(t)
    const full = (sha: string) => direct.config('SET', 'maxmemory', sha === CREATE.sha ? '1' : '0')
    const store = redisStore(hooked(client, full))
    await assert.rejects(async () => store.create('new', ADA, HOUR, CALL), { code: 'ERR_SESSION_STORE' })
    assert.deepEqual(await direct.keys('*'), [])
  })

  register('a full Redis refuses reseal(), keeps the session, and nothing of it is left in an index', async t => {
    const { client, direct } = await open(t)
    await redisStore(client).create('ada', ADA, HOUR, CALL)
    const [keys, session] = [await direct.keys('*'), await direct.hgetall(`sess:${digest('ada')}`)]
    const isFull: ReadonlyArray<(sha: string) => boolean> = [() => true, sha => sha === REWRITE.sha]
    for (const isFullFor of isFull) {
      const full = (sha: string) => direct.config('SET', 'maxmemory', isFullFor(sha) ? '1' : '0')
      const store = redisStore(hooked(client, full), { seal: [newSecret()] })
      await assert.rejects(store.reseal(), { code: 'ERR_SESSION_STORE', message: /maxmemory/ })
      await direct.config('SET', 'maxmemory', '0')
      assert.deepEqual((await direct.keys('*')).sort(), keys.sort())
      assert.deepEqual(await direct.hgetall(`sess:${digest('ada')}`), session)
    }
    assert.equal(await redisStore(client, { seal: [newSecret()] }).reseal(), 1)
  })

  register('who is signed in goes on while Redis is full', async t => {
    const goesOn: ReadonlyArray<
      readonly [claim: string, ask: (store: ReturnType<typeof redisStore>) => unknown, answer: unknown]
    > = [
      ['is extended', store => store.touch('ada', LIFETIME, HOUR, CALL), true],
      ['is extended, and in the index', store => store.touch('ada', LIFETIME, 9 * HOUR, CALL), true],
      ['changes a member', store => store.patch('ada', { ...PATCH, set: { user: '"bob"' } }, HOUR, CALL), 'saved'],
      ['by version', store => store.patch('ada', { ...PATCH, set: { cart: '[2]' }, version: 0 }, HOUR, CALL), 'saved'],
      [
        'exchanges one',
        store => store.patch('ada', { ...PATCH, set: { b: '[2]' }, unset: ['cart'] }, HOUR, CALL),
        'saved',
      ],
      ['removes one', store => store.patch('ada', { ...PATCH, unset: ['cart'] }, HOUR, CALL), 'saved'],
      ['is emptied', store => store.patch('ada', { ...PATCH, unset: ['cart', 'user'] }, HOUR, CALL), 'emptied'],
      ['signs out and keeps the rest', store => store.patch('ada', { ...PATCH, subject: null }, HOUR, CALL), 'saved'],
      ['is set', store => store.set('ada', { user: 'eve', cart: [2] }, HOUR, CALL), undefined],
      ['is retired', store => store.retire('ada', {}, HOUR, CALL), 'saved'],
      ['is ended', store => store.destroyAll('ada'), 1],
    ]
    const { store, direct } = await open(t)
    for (const [claim, ask, answer] of goesOn) {
      await direct.flushall()
      await store.create('ada', ADA, HOUR, CALL)
      await direct.config('SET', 'maxmemory', '1')
      assert.equal(await ask(store), answer, claim)
      await direct.config('SET', 'maxmemory', '0')
    }
  })

  const INDEX = `sess:@${digest('ada')}`

  /** A store on a server with this policy, and three sessions of one subject. */
  async function openEvicting(t: TestContext, policy: string) {
    const opened = await open(t, ['--maxmemory-policy', policy])
    for (const id of ['a', 'b', 'c']) await opened.store.create(id, ADA, HOUR, CALL)
    return opened
  }

  register('where Redis may evict any key, list() and destroyAll() reject, and say why', async t => {
    for (const policy of ['allkeys-lru', 'allkeys-random']) {
      const { store } = await openEvicting(t, policy)
      const error = { code: 'ERR_SESSION_STORE', message: new RegExp(`maxmemory-policy ${policy}.*noeviction`) }
      await assert.rejects(async () => store.list('ada'), error)
      await assert.rejects(async () => store.destroyAll('ada'), error)
      await assert.rejects(async () => store.destroyAll('ada', { only: digest('a') }), error)
      assert.equal(await store.touch('a', LIFETIME, HOUR, CALL), true, 'a session is as good as ever')
      assert.equal(await store.sweep(), 0)
    }
  })

  register('where Redis evicts what expires, an index does not expire, and goes with its last session', async t => {
    const { store, direct } = await openEvicting(t, 'volatile-lru')
    assert.equal(await direct.pttl(INDEX), -1)
    assert.ok((await direct.pttl(`sess:${digest('a')}`)) > 0)
    // What an older version, or another policy, has left.
    await direct.pexpire(INDEX, HOUR)
    await store.touch('a', LIFETIME, 3 * HOUR, CALL)
    assert.equal(await direct.pttl(INDEX), -1)
    assert.equal((await store.list('ada')).length, 3)
    await direct.del(`sess:${digest('b')}`)
    assert.equal(await store.destroyAll('ada'), 2)
    assert.equal(await direct.exists(INDEX), 0)
  })

  register('where Redis evicts what expires, reseal() moves sessions to an index that does not expire', async t => {
    const { direct, client } = await openEvicting(t, 'volatile-lru')
    const store = redisStore(client, { seal: [newSecret()] })
    assert.equal(await store.reseal(), 3)
    const indexes = (await direct.keys('sess:@*')).filter(key => !key.startsWith('sess:@@'))
    assert.deepEqual([indexes.length, indexes.includes(INDEX)], [1, false])
    assert.equal(await direct.pttl(indexes[0] ?? ''), -1)
    assert.equal((await store.list('ada')).length, 3)
    await direct.del(...['a', 'b', 'c'].map(id => `sess:${digest(id)}`))
    assert.equal(await store.sweep(), 2)
    assert.deepEqual(await direct.keys('*'), [])
  })

  register('sweep() deletes what the evicted and the expired left in indexes, and nothing else', async t => {
    const { store, direct } = await openEvicting(t, 'volatile-ttl')
    const subjects = Array.from({ length: 300 }, (_, index) => digest(`subject ${index}`))
    await Promise.all(subjects.map(subject => store.create(`of ${subject}`, { ...ADA, subject }, HOUR, CALL)))
    await store.create('live', { ...ADA, subject: digest('bob') }, HOUR, CALL)
    const gone = ['a', 'b', 'c', ...subjects.slice(1).map(subject => `of ${subject}`)]
    await direct.del(...gone.map(id => `sess:${digest(id)}`))
    await direct.del(`sess:@${subjects[1]}`)
    assert.equal(await store.sweep(), 300)
    assert.equal(await store.sweep(), 0)
    const keys = (await direct.keys('*')).filter(key => !key.startsWith('sess:@@'))
    const left = [`of ${subjects[0]}`, 'live'].map(id => `sess:${digest(id)}`)
    assert.deepEqual(keys.sort(), [...left, `sess:@${subjects[0]}`, `sess:@${digest('bob')}`].sort())
    assert.equal((await direct.keys('sess:@@*')).length, new Set([subjects[0]?.[0], digest('bob')[0]]).size)
    assert.equal((await store.list('bob')).length, 1)
    await store.destroyAll('bob')
    assert.equal(await store.sweep(), 1, 'it is still registered')
  })

  register('where Redis does not say what it evicts, list() and destroyAll() reject, and say what to do', async t => {
    const { store, direct, client } = await open(t)
    await store.create('a', ADA, HOUR, CALL)
    await direct.call('ACL', 'SETUSER', 'default', '-info')
    const asked = redisStore(client)
    for (const ask of [() => asked.list('ada'), () => asked.destroyAll('ada')]) {
      await assert.rejects(async () => ask(), { code: 'ERR_SESSION_STORE', message: /allow its user the command INFO/ })
    }
    assert.equal(await asked.create('b', ADA, HOUR, CALL), true)
    assert.equal((await store.list('ada')).length, 2, 'a store that knows it from before')
  })

  register('the policy is asked for once, and again where Redis did not answer', async t => {
    const { client, direct } = await openEvicting(t, 'allkeys-lfu')
    let [asked, isDown] = [0, true]
    const store = redisStore(
      hooked(client, async sha => {
        if (sha !== POLICY.sha) return
        asked++
        if (isDown) throw new Error('down')
      }),
    )
    await assert.rejects(async () => store.list('ada'), /^Error: down$/)
    isDown = false
    await assert.rejects(async () => store.list('ada'), { code: 'ERR_SESSION_STORE' })
    await store.create('d', ADA, HOUR, CALL)
    assert.equal(await direct.zcard(INDEX), 4)
    assert.equal(asked, 2)
  })
}
