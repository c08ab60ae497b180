/** What is particular to a store in Redis: bytes, commands, the index of subjects, what is in its hashes. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import type { Patch, StoredLifetime, StoredRecord } from 'koa-session'
import { type NodeRedisClient, type RedisClient, type RedisStoreOptions, redisStore } from 'koa-session/redis'
import { manualClock } from 'koa-session/testing'
import { createClient } from 'redis'
import { CREATE, PATCH as PATCH_SCRIPT, REMOVE } from '../../../src/stores/redis/scripts.ts'
import { type RedisSource, startRedis } from '../../servers/redis.ts'
import type { Server } from '../../servers/server.ts'
import { newSecret } from '../../support/secrets.ts'
import { digestOf as digest, type Register } from '../support/contract.ts'
import { proveForgotten } from '../support/forgotten.ts'
import { proveSame } from '../support/same.ts'

const NOW = 1_700_000_000_000
const HOUR = 3_600_000
const CALL = { ctx: undefined, rolling: false, changed: true }
const META = { created: NOW, fresh: NOW }
const LIFETIME = { _expire: NOW + HOUR, _maxAge: HOUR, _meta: META } as const
const ADA: StoredRecord = { members: { user: '"ada"', cart: '[1]' }, lifetime: LIFETIME, subject: digest('ada') }
const BOB: StoredRecord = { members: { user: '"bob"' }, lifetime: LIFETIME }
const PATCH: Patch = { set: {}, unset: [], lifetime: LIFETIME, keepsEmpty: false }
const INDEX = `sess:@${digest('ada')}`

/** Registers tests of a store on a server that is theirs alone. */
export function redisSuite(register: Register, serverOf: () => Server, source?: RedisSource): void {
  /** A store in an empty server, and a client of its own that looks at what is there. */
  async function open(t: TestContext, options: RedisStoreOptions = {}) {
    const client = createClient({ url: serverOf().url })
    t.after(() => client.close())
    await client.connect()
    await client.flushAll()
    return { client, store: storeOn(client, options) }
  }

  /** Another store on the same server, as it is. */
  async function openAlso(t: TestContext) {
    const client = createClient({ url: serverOf().url })
    t.after(() => client.close())
    await client.connect()
    return { store: storeOn(client) }
  }

  /** What passes between a client and the server: how many bytes were sent. */
  async function openCounted(t: TestContext) {
    let sent = 0
    const proxy = createServer(socket => {
      const upstream = connect(serverOf().port, '127.0.0.1')
      socket.on('data', chunk => {
        sent += chunk.length
      })
      socket.pipe(upstream).pipe(socket)
    })
    proxy.listen(0, '127.0.0.1')
    await once(proxy, 'listening')
    const address = proxy.address()
    const client = new Redis(typeof address === 'object' ? (address?.port ?? 0) : 0)
    t.after(async () => {
      await client.quit()
      proxy.close()
    })
    await client.flushall()
    const count = async (work: () => unknown) => {
      sent = 0
      await work()
      return sent
    }
    return { client, count, store: storeOn(client) }
  }

  proveSame(register, { open: async (t, { now }) => (await open(t, { now })).store, elapses: false })

  register('a change of one key of a large session sends less than 400 bytes, a touch less than 300', async t => {
    const { store, count } = await openCounted(t)
    const id = 'x'.repeat(32)
    await store.create(id, { ...BOB, members: { big: JSON.stringify('x'.repeat(4096)) } }, HOUR, CALL)
    const change = () => store.patch(id, { ...PATCH, set: { theme: '"dark"' }, version: 0 }, HOUR, CALL)
    // The server gets the source of each script once.
    await change()
    await store.touch(id, LIFETIME, HOUR, CALL)
    const patched = await count(() => store.patch(id, { ...PATCH, set: { theme: '"light"' }, version: 1 }, HOUR, CALL))
    assert.equal(JSON.parse((await store.read(id, CALL))?.members.theme ?? ''), 'light')
    const touched = await count(() => store.touch(id, LIFETIME, HOUR, CALL))
    assert.ok(patched > 200 && patched < 400, `${patched}`)
    assert.ok(touched > 150 && touched < 300, `${touched}`)
  })

  /** A store whose client sends again what was cut off, and what carries a command out and cuts off its answer. */
  async function openCut(t: TestContext) {
    let isCut = false
    let answers = 0
    const proxy = createServer(socket => {
      const upstream = connect(serverOf().port, '127.0.0.1')
      const end = () => {
        socket.destroy()
        upstream.destroy()
      }
      socket.on('error', end).on('close', end).pipe(upstream)
      upstream
        .on('error', end)
        .on('close', end)
        .on('data', chunk => {
          const isNow = isCut && answers-- === 0
          if (isNow) end()
          else socket.write(chunk)
          if (isNow) isCut = false
        })
    })
    proxy.listen(0, '127.0.0.1')
    await once(proxy, 'listening')
    const client = new Redis((proxy.address() as AddressInfo).port, { retryStrategy: () => 200 })
    client.on('error', () => {})
    t.after(async () => {
      await client.quit()
      proxy.close()
    })
    await client.flushall()
    const store = storeOn(client)
    /** Cuts off an answer, after so many others. */
    const cut = async <T>(work: () => T | Promise<T>, meanwhile: () => unknown = () => {}, after = 0) => {
      isCut = true
      answers = after
      const working = work()
      await once(client, 'close')
      await meanwhile()
      return working
    }
    return { store, cut }
  }

  register(
    'a versioned patch whose answer was lost is done once, and said to be done, when it is sent again',
    async t => {
      const { store, cut } = await openCut(t)
      const { store: direct } = await openAlso(t)
      const counted = (n: number, version: number) => ({ ...PATCH, set: { n: String(n) }, version })
      await store.create('id', BOB, HOUR, CALL)
      assert.equal(await store.patch('id', counted(1, 0), HOUR, CALL), 'saved')
      assert.equal(await cut(() => store.patch('id', counted(2, 1), HOUR, CALL)), 'saved')
      assert.equal((await store.read('id', CALL))?.version, 2)

      let version = 2
      const others = async () => {
        for (version = 3; version < 9; version++) {
          assert.equal(await direct.patch('id', counted(version + 1, version), HOUR, CALL), 'saved')
          await direct.patch('id', { ...PATCH, set: { page: '1' } }, HOUR, CALL)
          version++
        }
      }
      assert.equal(await cut(() => store.patch('id', counted(3, 2), HOUR, CALL), others), 'saved')
      const record = await store.read('id', CALL)
      assert.deepEqual([record?.version, record?.members.n], [version, String(version - 1)])
      assert.equal(await store.patch('id', counted(0, version - 1), HOUR, CALL), 'conflict')
    },
  )

  register('an id whose retirement was not answered was retired by who asks again, and by nobody else', async t => {
    const { store, cut } = await openCut(t)
    await store.create('id', ADA, HOUR, CALL)
    // The server gets the source of the script.
    await store.retire('another', {}, HOUR, CALL)
    const retire = { version: 0, successor: 'new' }
    assert.equal(await cut(() => store.retire('id', retire, HOUR, CALL)), 'saved')
    assert.equal(await store.retire('id', { version: 0, successor: 'other' }, HOUR, CALL), 'gone')
    assert.equal(typeof (await store.read('id', CALL))?.retiredAt, 'number')
    assert.deepEqual(await store.list('ada'), [])
  })

  register('a session of a user whose creation was not answered is made once, when it is sent again', async t => {
    const { store, cut } = await openCut(t)
    const { store: direct } = await openAlso(t)
    // The server gets the sources of the scripts.
    await store.create('warm', ADA, HOUR, CALL)
    // The first answer is that of the index.
    assert.equal(await cut(() => store.create('id', ADA, HOUR, CALL), undefined, 1), true)
    assert.equal((await store.list('ada')).length, 2)
    const change = () => direct.patch('next', { ...PATCH, set: { cart: '[2]' } }, HOUR, CALL)
    assert.equal(await cut(() => store.create('next', ADA, HOUR, CALL), change, 1), true)
    assert.equal((await store.read('next', CALL))?.members.cart, '[2]')
    assert.equal((await store.list('ada')).length, 3)
    for (const id of ['id', 'next']) assert.equal(await direct.create(id, ADA, HOUR, CALL), false)
  })

  register('what a versioned patch leaves without members is dropped', async t => {
    const { client, store } = await open(t)
    await store.create('id', ADA, HOUR, CALL)
    assert.equal(await store.patch('id', { ...PATCH, set: { cart: '2' }, version: 0 }, HOUR, CALL), 'saved')
    assert.equal(await store.patch('id', { ...PATCH, unset: ['user', 'cart'], version: 1 }, HOUR, CALL), 'emptied')
    assert.deepEqual(await client.keys('sess:[^@]*'), [])
  })

  register('each operation is one command', async t => {
    // Of its own: a sentinel asks the one that it watches, which would be among the commands.
    const server = await startRedis(source && { source })
    const [client, watching] = [createClient({ url: server.url }), createClient({ url: server.url })]
    t.after(async () => {
      for (const one of [client, watching]) if (one.isOpen) one.destroy()
      await server.stop()
    })
    await client.connect()
    const store = storeOn(client)
    const operations: ReadonlyArray<readonly [name: string, run: (id: string) => unknown, command: string]> = [
      ['create', id => store.create(id, BOB, HOUR, CALL), 'evalsha'],
      ['read', id => store.read(id, CALL), 'hgetall'],
      ['get', id => store.get(id, HOUR, CALL), 'hgetall'],
      ['set', id => store.set(id, { user: 'bob' }, HOUR, CALL), 'evalsha'],
      ['patch', id => store.patch(id, { ...PATCH, set: { a: '1' } }, HOUR, CALL), 'evalsha'],
      ['touch', id => store.touch(id, LIFETIME, HOUR, CALL), 'evalsha'],
      ['retire', id => store.retire(id, { successor: 'b' }, HOUR, CALL), 'evalsha'],
      ['create', () => store.create('live', BOB, HOUR, CALL), 'evalsha'],
      ['destroy', () => store.destroy('live', CALL), 'evalsha'],
    ]
    for (const [, run] of operations) await run('first')
    await watching.connect()
    const seen: string[] = []
    await watching.monitor(line => {
      // 1700000000.123456 [0 127.0.0.1:40000] "EVALSHA" "…", or [0 lua] where a script asks.
      const [, command = ''] = /^\S+ \[\d+ [^l]\S+\] "(\w+)"/.exec(String(line)) ?? []
      seen.push(command.toLowerCase())
    })
    for (const [, run] of operations) await run('a')
    await client.ping()
    for (let tries = 0; !seen.includes('ping') && tries < 2000; tries++) await sleep(5)
    const known = new Set(['', 'ping'])
    assert.deepEqual(
      seen.filter(command => !known.has(command)),
      operations.map(([, , command]) => command),
    )
  })

  register('a session of a subject takes one command more only once in its lifetime', async t => {
    const { client, store } = await open(t)
    await store.create('a', ADA, HOUR, CALL)
    const [entry] = await client.zRangeWithScores(INDEX, 0, -1)
    for (let count = 0; count < 10; count++) {
      await store.touch('a', LIFETIME, HOUR, CALL)
      await store.patch('a', { ...PATCH, set: { count: `${count}` } }, HOUR, CALL)
    }
    assert.deepEqual(await client.zRangeWithScores(INDEX, 0, -1), [entry], 'nobody wrote to the index')
    await store.touch('a', LIFETIME, 3 * HOUR, CALL)
    const [later] = await client.zRangeWithScores(INDEX, 0, -1)
    assert.ok((later?.score ?? 0) >= Date.now() + 5.9 * HOUR)
    assert.ok((await client.pTTL(INDEX)) > 5.9 * HOUR, 'the index lives as long as its last entry')
    await store.patch('a', { ...PATCH, set: { count: '11' } }, 5.9 * HOUR, CALL)
    assert.deepEqual(await client.zRangeWithScores(INDEX, 0, -1), [later])
    await store.set('a', { user: 'ada' }, 24 * HOUR, CALL)
    assert.ok(((await client.zRangeWithScores(INDEX, 0, -1))[0]?.score ?? 0) > Date.now() + 47 * HOUR)
  })

  register('what ends a session takes it from the index of its subject', async t => {
    const ends: Readonly<Record<string, (store: ReturnType<typeof storeOn>) => unknown>> = {
      destroy: store => store.destroy('a', CALL),
      retire: store => store.retire('a', {}, HOUR, CALL),
      emptied: store => store.patch('a', { ...PATCH, unset: ['user', 'cart'] }, HOUR, CALL),
      'nobody is signed in': store => store.patch('a', { ...PATCH, subject: null }, HOUR, CALL),
      'another is signed in': store => store.patch('a', { ...PATCH, subject: digest('bob') }, HOUR, CALL),
      destroyAll: store => store.destroyAll('ada'),
    }
    const { client, store } = await open(t)
    for (const [name, end] of Object.entries(ends)) {
      await client.flushAll()
      await store.create('a', ADA, HOUR, CALL)
      assert.equal(await client.zCard(INDEX), 1)
      await end(store)
      assert.equal(await client.zCard(INDEX), 0, name)
    }
  })

  register('a patch moves a session to its new subject', async t => {
    const { store } = await open(t)
    await store.create('a', ADA, HOUR, CALL)
    await store.patch('a', { ...PATCH, subject: digest('bob') }, HOUR, CALL)
    assert.deepEqual(await store.list('ada'), [])
    assert.equal((await store.list('bob')).length, 1)
    assert.equal((await store.read('a', CALL))?.subject, digest('bob'))
    await store.patch('a', { ...PATCH, subject: digest('bob') }, HOUR, CALL)
    assert.equal((await store.list('bob')).length, 1)
    await store.patch('a', { ...PATCH, subject: null }, HOUR, CALL)
    assert.deepEqual(await store.list('bob'), [])
    assert.equal((await store.read('a', CALL))?.subject, undefined)
  })

  register('an index that is read drops what is gone, retired or of another subject', async t => {
    for (const hashIds of [true, false]) {
      const { client, store } = await open(t, { hashIds })
      const nameOf = (id: string) => (hashIds ? digest(id) : id)
      const retired = nameOf('retired')
      for (const id of ['lost', 'retired', 'moved', 'live']) await store.create(id, ADA, HOUR, CALL)
      await client.del(`sess:${nameOf('lost')}`)
      await store.retire('retired', {}, HOUR, CALL)
      await store.patch('moved', { ...PATCH, subject: digest('bob') }, HOUR, CALL)
      const score = Date.now() + HOUR
      for (const value of [retired, nameOf('moved'), 'never']) await client.zAdd(INDEX, { value, score })
      await client.zAdd(INDEX, { value: 'live-until-now', score: Date.now() - 1 })
      assert.equal((await store.list('ada')).length, 1)
      // Where names are ids, the handle of what was retired is found by the index alone.
      const kept = hashIds ? [nameOf('live')] : ['live', 'retired']
      assert.deepEqual((await client.zRange(INDEX, 0, -1)).sort(), kept)
      assert.equal((await store.list('bob')).length, 1)
    }
  })

  register('a reader that comes between the index and the session does not lose it', async t => {
    const { client, store } = await open(t)
    /** Each list is read when a session that is in an index is about to be saved. */
    const slow = storeOn({
      hGetAll: key => client.hGetAll(key),
      eval: (source, given) => client.eval(source, given),
      async evalSha(sha, given) {
        const isIndexed = [CREATE.sha, PATCH_SCRIPT.sha].includes(sha) && given.arguments[4] !== ''
        if (isIndexed) for (const subject of ['ada', 'bob']) await store.list(subject)
        return client.evalSha(sha, given)
      },
    } satisfies NodeRedisClient)
    await store.create('warm', ADA, HOUR, CALL)
    await store.patch('warm', { ...PATCH, subject: null }, HOUR, CALL)
    await slow.create('a', ADA, HOUR, CALL)
    assert.equal((await store.list('ada')).length, 1)
    await slow.patch('a', { ...PATCH, subject: digest('bob') }, HOUR, CALL)
    assert.equal((await store.list('bob')).length, 1)
    assert.equal((await store.list('ada')).length, 0)
  })

  register('a session whose id was ended and taken again at the same time stays in the index', async t => {
    const { client, store } = await open(t)
    await store.create('a', ADA, HOUR, CALL)
    const slow = storeOn({
      hGetAll: key => client.hGetAll(key),
      eval: (source, given) => client.eval(source, given),
      async evalSha(sha, given) {
        const reply = await client.evalSha(sha, given)
        if (String(reply).includes('\0removed')) await store.create('a', ADA, 60_000, CALL)
        return reply
      },
    } satisfies NodeRedisClient)
    await slow.destroy('a', CALL)
    assert.equal((await store.list('ada')).length, 1)
  })

  register('the thousand sessions of one subject are listed and ended', async t => {
    const { client, store } = await open(t)
    const ids = Array.from({ length: 1000 }, (_, index) => `id-${index}`)
    await Promise.all(ids.map(id => store.create(id, ADA, HOUR, CALL)))
    assert.equal((await store.list('ada')).length, 1000)
    assert.equal(await store.destroyAll('ada', { except: 'id-7' }), 999)
    assert.equal((await store.list('ada')).length, 1)
    assert.equal(await client.dbSize(), 2)
  })

  register('a session expires as its time to live says, and its key with it', async t => {
    const rows: ReadonlyArray<readonly [claim: string, ttl: number, isThere: boolean]> = [
      ['an hour', HOUR, true],
      ['a fraction is rounded up', HOUR + 0.5, true],
      ['the longest', 8e15, true],
      ['longer than that', Number.MAX_VALUE, true],
      ['endless', Number.POSITIVE_INFINITY, true],
      ['none', 0, false],
      ['less than none', -1, false],
      ['nearly none, but less', -0.5, false],
      ['no number', Number.NaN, false],
    ]
    const { client, store } = await open(t)
    for (const [claim, ttl, isThere] of rows) {
      for (const record of [ADA, BOB]) {
        await client.flushAll()
        await store.create('a', record, ttl, CALL)
        assert.equal((await store.read('a', CALL)) !== undefined, isThere, `create: ${claim}`)
        await store.set('a', {}, ttl, CALL)
        assert.equal((await store.get('a', HOUR, CALL)) !== undefined, isThere, `set: ${claim}`)
        for (const action of ['patch', 'touch', 'retire'] as const) {
          await client.flushAll()
          await store.create('a', record, HOUR, CALL)
          if (action === 'patch')
            assert.equal(await store.patch('a', { ...PATCH, set: { a: '1' } }, ttl, CALL), 'saved')
          if (action === 'touch') assert.equal(await store.touch('a', LIFETIME, ttl, CALL), true)
          if (action === 'retire') assert.equal(await store.retire('a', {}, ttl, CALL), 'saved')
          assert.equal((await store.read('a', CALL)) !== undefined, isThere, `${action}: ${claim}`)
        }
      }
    }
  })

  register('a session is gone after its time, by the clock of Redis', async t => {
    const { client, store } = await open(t)
    await store.create('a', ADA, 60, CALL)
    await store.create('b', ADA, 10_000, CALL)
    await store.touch('b', LIFETIME, HOUR, CALL)
    assert.ok((await client.pTTL(`sess:${digest('b')}`)) > HOUR / 2)
    await sleep(90)
    assert.equal(await store.read('a', CALL), undefined)
    assert.equal(await store.touch('a', LIFETIME, HOUR, CALL), false)
    assert.equal(await store.create('a', BOB, HOUR, CALL), true)
    assert.equal((await store.list('ada')).length, 1)
    assert.equal(await client.zCard(INDEX), 1)
  })

  register('the list has the instants of the clock of the store', async t => {
    const { now, advance } = manualClock(NOW)
    const { store } = await open(t, { now })
    await store.create('a', ADA, HOUR, CALL)
    advance(5)
    await store.touch('a', LIFETIME, HOUR, CALL)
    const [listed] = await store.list('ada')
    const { createdAt, seenAt, expiresAt } = listed ?? {}
    assert.deepEqual([createdAt, seenAt, expiresAt], [NOW, NOW + 5, NOW + 5 + HOUR])
    advance(5)
    await store.set('a', { user: 'ada' }, 2 * HOUR, CALL)
    const [again] = await store.list('ada')
    assert.deepEqual([again?.createdAt, again?.seenAt, again?.expiresAt], [NOW, NOW + 10, NOW + 10 + 2 * HOUR])
    await store.retire('a', {}, HOUR, CALL)
    assert.equal((await store.read('a', CALL))?.retiredAt, NOW + 10)
  })

  register('a lifetime is read as it was written', async t => {
    const lifetimes: readonly StoredLifetime[] = [
      {},
      LIFETIME,
      { _expire: NOW, _maxAge: HOUR },
      { _session: true },
      { _session: true, _meta: { created: NOW } },
      { _meta: { fresh: 1.5 } },
      { _expire: NOW, _maxAge: HOUR, _meta: { since: NOW } },
      { _session: true, _meta: { created: NOW, fresh: NOW, since: 1.5 } },
      { _expire: NOW, _maxAge: HOUR, _meta: { dataVersion: 2 } },
      { _session: true, _meta: { created: NOW, since: NOW, dataVersion: 1 } },
      { _meta: {} },
      ...([{ _expire: 'soon' }, { _maxAge: null }, { _meta: { created: NOW, by: 'x' } }, { _meta: null }] as object[]),
    ]
    const { store } = await open(t)
    for (const [index, lifetime] of lifetimes.entries()) {
      await store.create(`id-${index}`, { members: {}, lifetime }, HOUR, CALL)
      assert.deepEqual((await store.read(`id-${index}`, CALL))?.lifetime, lifetime)
    }
  })

  const HOSTILE = [
    ...[
      '__proto__',
      'constructor',
      '$.a',
      'a.b',
      '"',
      "'",
      '\\',
      '\0',
      'a\0b',
      '',
      ' ',
      '\r\n',
      '.',
      ':',
      '@',
      '!',
      '!"a"',
    ],
    ...[
      'l',
      'm',
      's',
      'r',
      '🍪',
      '\ud800',
      '\udbff',
      '\udc00',
      '\ufffd',
      'a\ud800',
      '{x}',
      '}{',
      '%',
      '*',
      '@ada',
      'é',
    ],
  ]

  register('a member is only a name and a value, whatever they are', async t => {
    const { store } = await open(t)
    const entries = HOSTILE.map((name, index) => [name, JSON.stringify(`${index} ${name}`)] as const)
    const members = Object.fromEntries([
      ...entries,
      ['null', 'null'],
      ['big', JSON.stringify('é"\0\ud800'.repeat(500_000))],
    ])
    await store.create('a', { members, lifetime: LIFETIME }, HOUR, CALL)
    assert.deepEqual((await store.read('a', CALL))?.members, members)
    const set = Object.fromEntries(HOSTILE.map(name => [name, '1']))
    await store.patch('a', { ...PATCH, set, unset: ['big', 'null'] }, HOUR, CALL)
    assert.deepEqual((await store.read('a', CALL))?.members, set)
    assert.equal(await store.patch('a', { ...PATCH, unset: HOSTILE.slice(1) }, HOUR, CALL), 'saved')
    assert.deepEqual(Object.keys((await store.read('a', CALL))?.members ?? {}), HOSTILE.slice(0, 1))
    assert.equal(await store.patch('a', { ...PATCH, unset: HOSTILE }, HOUR, CALL), 'emptied')
  })

  register('a session may have thousands of members', async t => {
    const { store } = await open(t)
    const members = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`key-${index}`, `${index}`]))
    await store.create('a', { members, lifetime: LIFETIME }, HOUR, CALL)
    assert.deepEqual((await store.read('a', CALL))?.members, members)
    assert.equal(await store.patch('a', { ...PATCH, unset: Object.keys(members) }, HOUR, CALL), 'emptied')
  })

  register('an id is only a name, whatever it is, and never that of an index', async t => {
    const { client, store } = await open(t, { hashIds: false })
    const ids = [...HOSTILE, `@${digest('ada')}`]
    for (const [index, id] of ids.entries()) {
      assert.equal(
        await store.create(id, { ...ADA, members: { id: `${index}` } }, HOUR, CALL),
        true,
        JSON.stringify(id),
      )
    }
    for (const [index, id] of ids.entries()) assert.equal((await store.read(id, CALL))?.members.id, `${index}`)
    assert.equal((await store.list('ada')).length, ids.length)
    assert.equal(await store.destroyAll('ada'), ids.length)
    assert.equal(await client.dbSize(), 0)
    for (const [index, id] of ids.entries()) {
      const successor = ids.at(index - 1) ?? ''
      for (const one of [id, successor]) await store.create(one, ADA, HOUR, CALL)
      await store.retire(id, { successor }, HOUR, CALL)
      assert.equal((await store.read(id, CALL))?.successor, digest(successor), JSON.stringify(successor))
      await store.destroy(id, CALL)
      assert.equal(await store.read(successor, CALL), undefined)
    }
  })

  proveForgotten(register, async t => {
    const { client, store } = await open(t)
    const textOf = async (key: string) => {
      const isHash = (await client.type(key)) === 'hash'
      return JSON.stringify([key, await (isHash ? client.hGetAll(key) : client.zRange(key, 0, -1))])
    }
    return { store, dump: async () => (await Promise.all((await client.keys('*')).map(textOf))).join('\n') }
  })

  register('two applications in one database, each with a prefix, have nothing of each other', async t => {
    const { client } = await open(t)
    const [shop, forum] = ['shop:', 'forum:'].map(prefix => storeOn(client, { prefix }))
    for (const store of [shop, forum]) await store?.create('a', ADA, HOUR, CALL)
    assert.equal(await shop?.destroyAll('ada'), 1)
    assert.equal(await shop?.read('a', CALL), undefined)
    assert.equal((await forum?.list('ada'))?.length, 1)
    assert.equal(await shop?.clear(), 0)
    assert.equal(await forum?.count(), 1)
  })

  register('a store has nothing of one whose prefix goes on as its own, and seals nothing of it anew', async t => {
    const { client } = await open(t)
    const [outer, inner] = ['app:', 'app:admin:'].map(prefix => storeOn(client, { prefix, seal: [newSecret()] }))
    const plain = storeOn(client, { prefix: 'app:plain:' })
    for (const store of [outer, inner, plain]) await store?.create('a', ADA, HOUR, CALL)
    assert.deepEqual([await outer?.reseal(), await outer?.count(), await outer?.clear()], [0, 1, 1])
    for (const store of [inner, plain]) assert.equal((await store?.list('ada'))?.length, 1)
  })

  register('any prefix does', async t => {
    const { client, store } = await open(t)
    for (const prefix of ['', '{', '{x}:', 'a b', '@', '\0', '🍪', '*']) {
      await client.flushAll()
      const own = storeOn(client, { prefix })
      await own.create('a', ADA, HOUR, CALL)
      assert.equal((await own.list('ada')).length, 1, prefix)
      assert.equal(await store.read('a', CALL), undefined)
      const keys = await client.keys('*')
      assert.deepEqual(keys.sort(), [`${prefix}${digest('a')}`, `${prefix}@${digest('ada')}`].sort())
    }
  })

  register('what is no session is nothing, and gives way', async t => {
    const { client, store } = await open(t, { hashIds: false })
    const others: Readonly<Record<string, () => Promise<unknown>>> = {
      'a text, as koa-redis keeps': () => client.set('sess:a', '{"user":"ada"}'),
      'a list': () => client.rPush('sess:a', 'x'),
      'a hash of another': () => client.hSet('sess:a', { s: digest('ada'), '.user': '"eve"', user: 'eve' }),
      'a hash without a lifetime': () => client.hSet('sess:a', { m: 'x', '.user': '"eve"' }),
      'a hash that lost its version': () => client.hSet('sess:a', { m: 'x', l: '{}', '.user': '"eve"' }),
    }
    for (const [name, put] of Object.entries(others)) {
      const again = async () => {
        await client.flushAll()
        await put()
      }
      await again()
      assert.equal(await store.read('a', CALL), undefined, name)
      assert.equal(await store.get('a', HOUR, CALL), undefined)
      assert.equal(await store.patch('a', PATCH, HOUR, CALL), 'gone')
      assert.equal(await store.touch('a', LIFETIME, HOUR, CALL), false)
      assert.equal(await store.retire('a', {}, HOUR, CALL), 'gone')
      assert.equal(await store.create('a', BOB, HOUR, CALL), true)
      assert.deepEqual(await store.read('a', CALL), { ...BOB, version: 0, subject: undefined })
      await again()
      await store.set('a', { user: 'bob' }, HOUR, CALL)
      assert.deepEqual(await store.get('a', HOUR, CALL), { user: 'bob' })
      await again()
      await store.destroy('a', CALL)
      assert.equal(await client.exists('sess:a'), 0)
    }
  })

  register('a session whose lifetime is no JSON is nothing, and gives way', async t => {
    const { client, store } = await open(t, { hashIds: false })
    for (const text of ['', '{', '[1', 'null', '1', '"x"', 'x']) {
      await client.flushAll()
      await store.create('a', ADA, HOUR, CALL)
      await client.hSet('sess:a', 'l', text)
      assert.equal(await store.read('a', CALL), undefined, text)
      assert.equal(await store.patch('a', PATCH, HOUR, CALL), 'gone', text)
      assert.equal(await store.touch('a', LIFETIME, HOUR, CALL), false)
      assert.deepEqual(await store.list('ada'), [])
      assert.equal(await store.create('a', BOB, HOUR, CALL), true)
      assert.deepEqual((await store.read('a', CALL))?.members, BOB.members)
      await client.hSet('sess:a', 'l', text)
      await store.set('a', { user: 'ada' }, HOUR, CALL)
      assert.deepEqual(await store.get('a', HOUR, CALL), { user: 'ada' })
    }
  })

  register('what a retired session had is not in Redis any more', async t => {
    const { client, store } = await open(t, { hashIds: false })
    await store.create('a', ADA, HOUR, CALL)
    await store.retire('a', { successor: 'b' }, HOUR, CALL)
    assert.deepEqual({ ...(await client.hGetAll('sess:a')) }, { k: 'sess:a', r: `${NOW}`, l: 'b', s: digest('ada') })
    assert.ok((await client.pTTL('sess:a')) > 0)
  })

  register('a tombstone of an older version is one without a successor', async t => {
    const { client, store } = await open(t)
    await client.hSet(`sess:${digest('a')}`, 'r', `${NOW} AAAAAAAA`)
    const { retiredAt, successor, subject } = (await store.read('a', CALL)) ?? {}
    assert.deepEqual([retiredAt, successor, subject], [NOW, undefined, undefined])
    assert.equal(await store.retire('a', { successor: 'b' }, HOUR, CALL), 'gone')
    assert.equal(await store.create('a', BOB, HOUR, CALL), false)
    await store.destroy('a', CALL)
    assert.equal(await client.dbSize(), 0)
  })

  register('a session that gets a new id after the index was read is listed and ended under it', async t => {
    const { client, store } = await open(t)
    let at = 0
    /** The session gets two more ids before each session of the index is asked for. */
    const renew = async () => {
      if (at > 6) return
      for (const _ of [1, 2]) {
        await store.create(`id${at + 1}`, ADA, HOUR, CALL)
        assert.equal(await store.retire(`id${at}`, { successor: `id${++at}` }, HOUR, CALL), 'saved')
      }
    }
    const raced = storeOn({
      hGetAll: async key => {
        await renew()
        return client.hGetAll(key)
      },
      eval: (source, given) => client.eval(source, given),
      async evalSha(sha, given) {
        if (sha === REMOVE.sha) await renew()
        return client.evalSha(sha, given)
      },
    } satisfies NodeRedisClient)
    await store.create('id0', ADA, HOUR, CALL)
    assert.deepEqual(
      (await raced.list('ada')).map(({ handle }) => handle),
      [digest(`id${at}`)],
    )
    assert.ok(at > 2, 'it got ids while it was looked for')
    at = 0
    await client.flushAll()
    await store.create('id0', ADA, HOUR, CALL)
    assert.equal(await raced.destroyAll('ada'), 1)
    assert.deepEqual(await store.list('ada'), [])
    for (let index = 0; index <= at; index++) assert.equal(await store.touch(`id${index}`, LIFETIME, HOUR, CALL), false)
  })

  register(
    'destroyAll() misses no session that gets a new id between its steps, its tombstone evicted or not',
    async t => {
      const { client, store } = await open(t)
      /** The new session is made before one command of destroyAll(), and the old id retired before another one. */
      async function race(made: number, retired: number, isEvicted: boolean) {
        await client.flushAll()
        await store.create('old', ADA, HOUR, CALL)
        let step = 0
        const renew = async () => {
          step++
          if (step === made) await store.create('new', ADA, HOUR, CALL)
          if (step !== retired) return
          const verdict = await store.retire('old', { successor: 'new' }, HOUR, CALL)
          if (verdict !== 'saved') await store.destroy('new', CALL)
          else if (isEvicted) await client.del(`sess:${digest('old')}`)
        }
        const raced = storeOn({
          hGetAll: key => renew().then(() => client.hGetAll(key)),
          eval: (source, given) => client.eval(source, given),
          evalSha: (sha, given) => renew().then(() => client.evalSha(sha, given)),
        } satisfies NodeRedisClient)
        const count = await raced.destroyAll('ada')
        while (step < retired) await renew()
        return count
      }
      for (const isEvicted of [false, true]) {
        for (let made = 1; made <= 8; made++) {
          for (let retired = made; retired <= 8; retired++) {
            const what = `made before command ${made}, retired before ${retired}, evicted: ${isEvicted}`
            assert.ok((await race(made, retired, isEvicted)) > 0, what)
            for (const id of ['old', 'new']) assert.equal(await store.touch(id, LIFETIME, HOUR, CALL), false, what)
          }
        }
      }
    },
  )

  register('a session that is made again while it is looked for is no reason to stop looking', async t => {
    const { client, store } = await open(t)
    await store.create('a', ADA, HOUR, CALL)
    await client.del(`sess:${digest('a')}`)
    let reads = 0
    const raced = storeOn({
      async hGetAll(key) {
        if (++reads === 2) {
          await store.create('b', ADA, HOUR, CALL)
          await store.retire('a', { successor: 'b' }, HOUR, CALL)
        }
        const found = await client.hGetAll(key)
        if (reads === 1) await store.create('a', ADA, HOUR, CALL)
        return found
      },
      eval: (source, given) => client.eval(source, given),
      evalSha: (sha, given) => client.evalSha(sha, given),
    } satisfies NodeRedisClient)
    const handles = (await raced.list('ada')).map(({ handle }) => handle)
    assert.deepEqual(handles, [digest('b')])
  })

  register('a sweep leaves in its register a subject whose index is made meanwhile', async t => {
    const { client } = await open(t)
    const registerOfAda = `sess:@@${digest('ada').slice(0, 1)}`
    await client.configSet('maxmemory-policy', 'volatile-lru')
    for (let at = 1; at <= 5; at++) {
      await client.flushAll()
      const store = storeOn(client)
      await store.create('a', ADA, HOUR, CALL)
      await store.destroy('a', CALL)
      let step = 0
      const raced = storeOn({
        hGetAll: key => client.hGetAll(key),
        eval: (source, given) => client.eval(source, given),
        async evalSha(sha, given) {
          const isAbout = [INDEX, registerOfAda].includes(given.keys[0] ?? '')
          if (isAbout && ++step === at) await store.create('b', ADA, HOUR, CALL)
          return client.evalSha(sha, given)
        },
      } satisfies NodeRedisClient)
      await raced.sweep()
      if (step >= at)
        assert.ok(await client.zScore(registerOfAda, digest('ada')), `made before command ${at} of ${step}`)
    }
    await client.configSet('maxmemory-policy', 'noeviction')
  })

  register('a short session does not shorten the index of its subject', async t => {
    const { client, store } = await open(t)
    await store.create('long', ADA, HOUR, CALL)
    await store.create('short', ADA, 50, CALL)
    assert.ok((await client.pTTL(INDEX)) > HOUR)
    await store.touch('short', LIFETIME, 60, CALL)
    await sleep(250)
    assert.equal((await store.list('ada')).length, 1)
  })

  register('a script is sent again only where the server does not know it', async t => {
    const { client } = await open(t)
    let sent = 0
    const failing = (error: Error) =>
      storeOn({
        hGetAll: key => client.hGetAll(key),
        evalSha: () => Promise.reject(error),
        eval: (source, given) => {
          sent++
          return client.eval(source, given)
        },
      } satisfies NodeRedisClient)
    for (const message of ['Socket closed unexpectedly', 'READONLY You can not write', 'ERR NOSCRIPT', 'noscript']) {
      const error = new Error(message)
      await assert.rejects(async () => failing(error).create('a', BOB, HOUR, CALL), error)
    }
    assert.equal(sent, 0)
    assert.equal(await failing(new Error('NOSCRIPT No matching script.')).create('a', BOB, HOUR, CALL), true)
    assert.equal(sent, 1)
  })

  register('a small session stays in the encoding that takes half the memory', async t => {
    const { client, store } = await open(t)
    await store.create('a', { ...ADA, members: { user: '"ada"' } }, HOUR, CALL)
    for (let version = 0; version < 12; version++) {
      assert.equal(await store.patch('a', { ...PATCH, set: { a: '1' }, version }, HOUR, CALL), 'saved')
    }
    assert.equal(await client.sendCommand(['OBJECT', 'ENCODING', `sess:${digest('a')}`]), 'listpack')
  })

  register('sealed, no value can be read in Redis', async t => {
    const { client, store } = await open(t, { seal: [newSecret()] })
    await store.create('a', ADA, HOUR, CALL)
    const values = Object.values(await client.hGetAll(`sess:${digest('a')}`))
    assert.ok(!values.some(value => value.includes('"ada"')), 'only the digest of the subject is there')
    assert.deepEqual((await store.read('a', CALL))?.members, ADA.members)
  })

  register('a client that is closed is a rejection', async t => {
    const { client } = await open(t)
    const closed = createClient({ url: serverOf().url })
    await assert.rejects(async () => storeOn(closed).read('a', CALL))
    await assert.rejects(async () => storeOn(closed).touch('a', LIFETIME, HOUR, CALL))
    assert.equal(await client.ping(), 'PONG')
  })

  register('a session that is set has another version', async t => {
    const { store } = await open(t)
    await store.create('a', BOB, HOUR, CALL)
    await store.patch('a', { ...PATCH, set: { a: '1' } }, HOUR, CALL)
    await store.set('a', { user: 'bob' }, HOUR, CALL)
    assert.equal((await store.read('a', CALL))?.version, 2)
    assert.equal(await store.patch('a', { ...PATCH, version: 1 }, HOUR, CALL), 'conflict')
    await store.touch('a', LIFETIME, HOUR, CALL)
    assert.equal((await store.read('a', CALL))?.version, 2)
  })

  register('an answer that is no text is an error, not a verdict', async () => {
    const callbacks = { hgetall: () => true, eval: () => true, evalsha: () => true } as unknown as RedisClient
    await assert.rejects(async () => storeOn(callbacks).touch('a', LIFETIME, HOUR, CALL), TypeError)
    await assert.rejects(async () => storeOn(callbacks).read('a', CALL), TypeError)
  })
}

function storeOn(client: RedisClient, options: RedisStoreOptions = {}) {
  return redisStore(client, { now: () => NOW, ...options })
}
