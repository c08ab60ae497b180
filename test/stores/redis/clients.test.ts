import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { digest } from '../../../src/codec/digest.ts'
import { type RedisStoreOptions, redisStore } from '../../../src/stores/redis.ts'
import type { Patch, StoredRecord } from '../../../src/stores/store.ts'
import { KINDS, type Kind, startBackends } from './clients.ts'

const NOW = 1_700_000_000_000
const HOUR = 3_600_000
const CALL = { ctx: undefined, rolling: false, changed: true }
const LIFETIME = { _expire: NOW + HOUR, _maxAge: HOUR, _meta: { created: NOW } } as const
const ADA: StoredRecord = { members: { user: '"ada"', cart: '[1]' }, lifetime: LIFETIME }
const PATCH: Patch = { set: {}, unset: [], lifetime: LIFETIME, keepsEmpty: false }

let prefixes = 0

test('on every client', async suite => {
  const backends = await startBackends(suite)

  /** A store with a prefix of its own. */
  async function open(t: TestContext, kind: Kind, options: RedisStoreOptions = {}) {
    const { client, close } = await kind.connect(backends)
    t.after(close)
    const prefix = `test-${++prefixes}:`
    return { client, prefix, store: redisStore(client, { prefix, now: () => NOW, ...options }) }
  }

  for (const kind of KINDS) {
    await suite.test(kind.name, async t => {
      await t.test('a record is created once, read, patched, touched, retired and destroyed', async t => {
        const { store } = await open(t, kind)
        assert.equal(await store.read('a', CALL), undefined)
        assert.equal(await store.create('a', ADA, HOUR, CALL), true)
        assert.equal(await store.create('a', ADA, HOUR, CALL), false)
        assert.deepEqual(await store.read('a', CALL), { ...ADA, version: 0, subject: undefined })
        const patch = { ...PATCH, set: { cart: '[2]', theme: 'null' }, unset: ['user', 'nobody'], version: 0 }
        assert.equal(await store.patch('a', patch, HOUR, CALL), 'saved')
        assert.equal(await store.patch('a', patch, HOUR, CALL), 'conflict')
        assert.equal(await store.touch('a', { _maxAge: 1 }, HOUR, CALL), true)
        const members = { cart: '[2]', theme: 'null' }
        assert.deepEqual(await store.read('a', CALL), {
          members,
          lifetime: { _maxAge: 1 },
          version: 1,
          subject: undefined,
        })
        assert.equal(await store.retire('a', { version: 0 }, HOUR, CALL), 'conflict')
        assert.equal(await store.retire('a', { version: 1 }, HOUR, CALL), 'saved')
        assert.deepEqual(await store.read('a', CALL), { members: {}, lifetime: {}, retiredAt: NOW })
        assert.deepEqual(await store.get('a', HOUR, CALL), { _retired: NOW })
        assert.equal(await store.create('a', ADA, HOUR, CALL), false)
        assert.equal(await store.patch('a', PATCH, HOUR, CALL), 'gone')
        assert.equal(await store.touch('a', LIFETIME, HOUR, CALL), false)
        await store.set('a', { user: 'eve' }, HOUR, CALL)
        assert.deepEqual(await store.get('a', HOUR, CALL), { _retired: NOW })
        await store.destroy('a', CALL)
        assert.equal(await store.read('a', CALL), undefined)
      })

      await t.test('of many requests that change keys of their own none loses', async t => {
        const { store } = await open(t, kind)
        await store.create('a', ADA, HOUR, CALL)
        const names = Array.from({ length: 50 }, (_, index) => `key-${index}`)
        await Promise.all(names.map(name => store.patch('a', { ...PATCH, set: { [name]: '1' } }, HOUR, CALL)))
        const record = await store.read('a', CALL)
        assert.deepEqual(Object.keys(record?.members ?? {}).sort(), ['user', 'cart', ...names].sort())
        assert.equal(record?.version, 50)
      })

      await t.test('of many that create one session one does', async t => {
        const { store } = await open(t, kind)
        const made = await Promise.all(Array.from({ length: 20 }, () => store.create('a', ADA, HOUR, CALL)))
        assert.equal(made.filter(Boolean).length, 1)
      })

      await t.test('of many that change one version one does', async t => {
        const { store } = await open(t, kind)
        await store.create('a', ADA, HOUR, CALL)
        const patch = { ...PATCH, set: { cart: '[2]' }, version: 0 }
        const verdicts = await Promise.all(Array.from({ length: 20 }, () => store.patch('a', patch, HOUR, CALL)))
        assert.deepEqual([...new Set(verdicts)].sort(), ['conflict', 'saved'])
        assert.equal(verdicts.filter(verdict => verdict === 'saved').length, 1)
      })

      await t.test('the sessions of a subject are listed, and ended', async t => {
        const { store } = await open(t, kind)
        const subject = digest('ada')
        for (const id of ['a', 'b', 'c']) await store.create(id, { ...ADA, subject }, HOUR, CALL)
        await store.create('d', ADA, HOUR, CALL)
        await store.retire('c', {}, HOUR, CALL)
        const listed = await store.list('ada')
        const data = { user: 'ada', cart: [1] }
        const times = { createdAt: NOW, seenAt: NOW, expiresAt: NOW + HOUR }
        const handles = ['a', 'b'].map(digest)
        const expected = handles.map(handle => ({ handle, ...times, data }))
        const byHandle = (one: { handle: string }, other: { handle: string }) => (one.handle < other.handle ? -1 : 1)
        assert.deepEqual([...listed].sort(byHandle), expected.sort(byHandle))
        assert.equal(await store.destroyAll('ada', { except: 'a' }), 1)
        assert.equal(await store.read('b', CALL), undefined)
        assert.equal((await store.list('ada')).length, 1)
        assert.equal(await store.destroyAll('ada'), 1)
        assert.deepEqual(await store.list('ada'), [])
        assert.deepEqual((await store.read('d', CALL))?.members, ADA.members)
      })

      await t.test('a server that has no script is given it', async t => {
        const { store } = await open(t, kind)
        const servers = kind.isCluster ? backends.nodes : [backends.single]
        const flush = () => Promise.all(servers.map(server => server.cli('SCRIPT', 'FLUSH')))
        await store.create('a', ADA, HOUR, CALL)
        await flush()
        assert.equal(await store.patch('a', { ...PATCH, set: { cart: '[2]' } }, HOUR, CALL), 'saved')
        await flush()
        assert.equal((await store.read('a', CALL))?.members.cart, '[2]')
      })
    })
  }
})
