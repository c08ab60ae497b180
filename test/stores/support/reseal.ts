/** How a store is sealed anew after a new secret has come: told of every store that outlives its process. */
import assert from 'node:assert/strict'
import type { TestContext as Test } from 'node:test'
import type { StoredRecord } from 'koa-session'
import type { RecordStore, RedisStoreOptions } from 'koa-session/redis'
import { createKeyrings } from '../../../src/codec/keyring.ts'
import { seal, sealContext } from '../../../src/codec/sealed.ts'
import { newSecret } from '../../support/secrets.ts'
import { digestOf as digest, type Register } from './contract.ts'

const OLD = newSecret()
const NEW = newSecret()
const HOUR = 3_600_000
const call = { ctx: undefined, rolling: false, changed: true }
const lifetime = { _maxAge: HOUR }
const patch = { set: { theme: '"dark"' }, unset: [], lifetime, keepsEmpty: false }

type RowOptions = Pick<RedisStoreOptions, 'hashIds'>

export interface ResealPlace {
  /** A store on the place of this test, with these secrets; without any it shows what is kept. */
  store(seal?: readonly string[], options?: RowOptions): RecordStore
}

function recordOf(user: string, subject = user): StoredRecord {
  const members = { user: JSON.stringify(user), 'last page': '"/cart"' }
  return { members, lifetime, version: 0, subject: digest(subject) }
}

async function users(store: RecordStore, subject: string): Promise<unknown[]> {
  return (await store.list(subject)).map(({ data }) => data.user).sort()
}

/** The list, in an order that does not depend on the database: all are of the same age. */
async function listOf(store: RecordStore, subject: string): Promise<ReadonlyArray<readonly [string, object]>> {
  return (await store.list(subject)).map(session => [session.handle, session] as const).sort()
}

/** Registers the tests. */
export function proveReseal(register: Register, open: (t: Test) => Promise<ResealPlace>): void {
  const writes: Readonly<Record<string, (store: RecordStore) => unknown>> = {
    patched: store => store.patch('id', patch, HOUR, call),
    'patched by its version': store => store.patch('id', { ...patch, version: 0 }, HOUR, call),
    extended: store => store.touch('id', lifetime, HOUR, call),
    'written whole': store => store.set('id', { user: 'ada', 'last page': '/cart' }, HOUR, call),
  }
  for (const [how, write] of Object.entries(writes)) {
    register(`a session that is read under an older secret is sealed anew when it is ${how}`, async t => {
      const { store } = await open(t)
      await store([OLD]).create('id', recordOf('ada'), HOUR, call)
      const both = store([NEW, OLD])
      await both.read('id', call)
      await write(both)
      const record = await store([NEW]).read('id', call)
      assert.equal(record?.members.user, '"ada"')
      assert.equal(record?.members['last page'], '"/cart"')
      assert.equal(record?.subject, digest('ada'))
      assert.deepEqual(await users(store([NEW]), 'ada'), ['ada'])
      assert.deepEqual(await users(store([OLD]), 'ada'), [])
    })
  }

  register('whose a session is can be looked up by those alone who have the secret', async t => {
    const { store } = await open(t)
    await store([NEW]).create('id', recordOf('ada'), HOUR, call)
    const kept = await store().read('id', call)
    assert.notEqual(kept?.subject, digest('ada'))
    assert.deepEqual(await store().list('ada'), [])
    assert.deepEqual(await users(store([OLD]), 'ada'), [])
    assert.equal((await store([NEW]).read('id', call))?.subject, digest('ada'))
    await store([NEW]).patch('id', { ...patch, subject: digest('eve') }, HOUR, call)
    assert.deepEqual([await users(store([NEW]), 'ada'), await users(store([NEW]), 'eve')], [[], ['ada']])
    await store([NEW]).patch('id', { ...patch, subject: null }, HOUR, call)
    assert.deepEqual(await users(store([NEW]), 'eve'), [])
  })

  register('the sessions of a user are listed and ended under each of the secrets', async t => {
    const { store } = await open(t)
    for (const secret of [OLD, NEW]) await store([secret]).create(secret, recordOf(secret, 'ada'), HOUR, call)
    const both = store([NEW, OLD])
    assert.deepEqual(await users(both, 'ada'), [OLD, NEW].sort())
    assert.equal(await both.destroyAll('ada', { except: NEW }), 1)
    assert.deepEqual(await users(both, 'ada'), [NEW])
    await store([OLD]).create('id', recordOf('old', 'ada'), HOUR, call)
    assert.equal(await both.destroyAll('ada', { only: digest('id') }), 1)
    assert.equal(await both.destroyAll('ada'), 1)
  })

  register('the hash of a subject that a session is read with finds all of its sessions', async t => {
    const { store } = await open(t)
    for (const [id, secret] of Object.entries({ old: OLD, new: NEW })) {
      await store([secret]).create(id, recordOf(id, 'ada'), HOUR, call)
    }
    const both = store([NEW, OLD])
    for (const id of ['old', 'new']) {
      const subjectHash = (await both.read(id, call))?.subject
      assert.equal(subjectHash, digest('ada'), 'it is the same under each secret')
      assert.deepEqual((await both.list({ subjectHash })).map(({ data }) => data.user).sort(), ['new', 'old'])
    }
    const late = store([NEW])
    assert.equal(await late.reseal(), 0, 'what no secret opens is left alone')
    const subjectHash = (await late.read('old', call))?.subject
    assert.notEqual(subjectHash, digest('ada'), 'its secret was dropped')
    assert.equal(await late.destroyAll({ subjectHash }), 1)
    assert.equal(await both.destroyAll({ subjectHash: digest('ada') }), 1)
  })

  for (const hashIds of [true, false]) {
    register(`reseal() does the rest, so that the older secret can be dropped, hashIds: ${hashIds}`, async t => {
      const place = await open(t)
      const store = (seal: readonly string[]) => place.store(seal, { hashIds })
      const old = store([OLD])
      for (let n = 0; n < 7; n++) await old.create(`id${n}`, recordOf(`user${n}`, 'ada'), HOUR, call)
      await old.create('nobody', { members: { n: '1' }, lifetime, version: 0 }, HOUR, call)
      await old.create('next', recordOf('next', 'ada'), HOUR, call)
      assert.equal(await old.retire('id0', { successor: 'next' }, HOUR, call), 'saved')
      await store([NEW]).create('new', recordOf('new', 'ada'), HOUR, call)
      const before = await listOf(store([NEW, OLD]), 'ada')
      assert.equal(await store([NEW, OLD]).reseal({ batch: 2 }), 9)
      assert.equal(await store([NEW, OLD]).reseal(), 0)
      const late = store([NEW])
      assert.deepEqual(await listOf(late, 'ada'), before)
      assert.equal(before.length, 8)
      assert.deepEqual({ ...(await late.read('nobody', call))?.members }, { n: '1' })
      assert.equal((await late.read('id1', call))?.version, 0)
      assert.equal(await late.destroyAll('ada', { only: digest('id0') }), 1, 'the tombstone knows whose it was')
      assert.equal(await late.read('next', call), undefined)
      assert.equal(await late.destroyAll('ada'), 7)
    })
  }

  register('what the version before has sealed is read and listed, and reseal() seals it anew', async t => {
    const { store } = await open(t)
    const keyring = createKeyrings()([OLD])
    for (const id of ['a', 'b']) {
      const text = seal(`"${id}"`, keyring, sealContext('record', `${digest(id)} user`))
      await store().create(id, { members: { user: text }, lifetime, version: 0, subject: digest('ada') }, HOUR, call)
    }
    const same = store([OLD])
    assert.deepEqual(await users(same, 'ada'), ['a', 'b'])
    assert.equal((await same.read('a', call))?.members.user, '"a"')
    assert.equal(await same.touch('a', lifetime, HOUR, call), true)
    assert.equal(await same.reseal(), 1)
    assert.deepEqual(await users(same, 'ada'), ['a', 'b'])
    assert.deepEqual(await store().list('ada'), [])
  })

  register('nothing that is written, extended or ended meanwhile is undone by reseal()', async t => {
    const { store } = await open(t)
    const ids = Array.from({ length: 12 }, (_, n) => `id${n}`)
    for (const id of ids) await store([OLD]).create(id, { ...recordOf('ada'), members: { n: '0', m: '0' } }, HOUR, call)
    const both = store([NEW, OLD])
    let isOver = false
    const written = new Map<string, number>()
    const write = async () => {
      for (let n = 1; !isOver; n++) {
        for (const id of ids.slice(2)) {
          await both.patch(id, { ...patch, set: { n: String(n) } }, HOUR, call)
          written.set(id, n)
          await new Promise(setImmediate)
        }
      }
    }
    const writing = write()
    const end = (async () => {
      await both.destroy('id0', call)
      await both.touch('id1', { _maxAge: 2 * HOUR }, 2 * HOUR, call)
    })()
    await both.reseal({ batch: 3 })
    isOver = true
    await Promise.all([writing, end])
    const late = store([NEW])
    assert.equal(await late.read('id0', call), undefined)
    assert.equal((await late.read('id1', call))?.lifetime._maxAge, 2 * HOUR)
    for (const id of ids.slice(2)) {
      const { n, m } = (await late.read(id, call))?.members ?? {}
      assert.deepEqual({ n, m }, { n: String(written.get(id)), m: '0' }, id)
    }
  })

  register('reseal() needs secrets, and a batch that is one', async t => {
    const { store } = await open(t)
    const error = { code: 'ERR_SESSION_OPTION' }
    await assert.rejects(store().reseal(), {
      ...error,
      message: /reseal\(\) was called on a store without secrets: pass/,
    })
    for (const batch of [0, -1, 1.5, '5', null]) {
      await assert.rejects(store([NEW]).reseal({ batch } as never), { ...error, message: /: batch was/ })
    }
    await assert.rejects(store([NEW]).reseal({ size: 5 } as never), {
      ...error,
      message: /reseal was "size", expected/,
    })
  })
}
