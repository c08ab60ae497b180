/** What one commit leaves for the next one: a session that is replaced, emptied, or could not be given its new id. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fails, Gate } from '../support/stores.ts'
import { codeOf, site } from './site.ts'

type Site = ReturnType<typeof site>
type Request = Awaited<ReturnType<Site['visit']>>

async function replaceWhileSaved({ scope, session }: Request, { courses }: Site): Promise<void> {
  session.b = 2
  const slow = new Gate()
  courses.patch = [slow.course]
  const saving = session.save()
  await slow.arrived
  scope.session = null
  scope.session = { b: 2 }
  slow.open()
  await saving
}

/** What the handler does to session A, `{ a: 1 }`; what the store has then, and the client. */
const STORIES: Readonly<
  Record<
    string,
    readonly [
      handle: (request: Request, of: Site) => unknown,
      held: Readonly<Record<string, unknown>>,
      client: string | undefined,
      code?: string,
    ]
  >
> = {
  'a session that takes the place of another one is saved whole, even with equal data': [
    ({ scope }) => {
      scope.session = null
      scope.session = { a: 1 }
    },
    { 1: { a: 1 } },
    '1',
  ],
  'the same, where a commit ended the other one': [
    async ({ scope }) => {
      scope.session = null
      await scope.commit({})
      scope.session = { a: 1 }
    },
    { 1: { a: 1 } },
    '1',
  ],
  'equal data that are put again into a session that was emptied are saved': [
    async ({ session }) => {
      Reflect.deleteProperty(session, 'a')
      await session.manuallyCommit()
      session.a = 1
    },
    { 1: { a: 1 } },
    '1',
  ],
  'a session that is replaced while it is saved is saved whole, even with equal data': [
    replaceWhileSaved,
    { 1: { b: 2 } },
    '1',
  ],
  'and keeps its id with each commit after': [
    async (request, of) => {
      const { scope } = request
      await replaceWhileSaved(request, of)
      await scope.commit({})
      scope.session = Object.assign(scope.session ?? {}, { c: 3 })
      await scope.commit({})
    },
    { 1: { b: 2, c: 3 } },
    '1',
  ],
  'an id that could not be sent is made once it can be': [
    async request => {
      request.scope.session = null
      await request.scope.commit({})
      request.scope.session = { b: 2 }
      request.exchange.isInsecure = true
      assert.equal(await codeOf(() => request.scope.commit({})), 'ERR_SESSION_INSECURE')
      request.exchange.isInsecure = false
    },
    { 2: { b: 2 } },
    '2',
  ],
  'a new id that could not be sent is made once it can be': [
    async ({ session, exchange }) => {
      exchange.isInsecure = true
      assert.equal(await codeOf(() => session.regenerate()), 'ERR_SESSION_INSECURE')
      exchange.isInsecure = false
      await session.regenerate()
    },
    { 2: { a: 1 } },
    '2',
  ],
  'an id that could not be retired is retired by the next commit': [
    async ({ session }, { courses }) => {
      courses.retire = [fails]
      assert.equal(await codeOf(() => session.regenerate()), 'ERR_SESSION_STORE')
    },
    { 1: { a: 1 } },
    '1',
  ],
  'an id that can not be retired again is an error of the next commit': [
    async ({ session }, { courses }) => {
      courses.retire = [fails, fails, fails]
      assert.equal(await codeOf(() => session.regenerate()), 'ERR_SESSION_STORE')
    },
    { A: { a: 1 }, 1: { a: 1 } },
    '1',
    'ERR_SESSION_STORE',
  ],
  'what others write under an id that could not be retired goes with the session': [
    async ({ session }, { courses, write }) => {
      courses.retire = [fails]
      await codeOf(() => session.regenerate())
      write('A', { b: '2' })
    },
    { 1: { a: 1, b: 2 } },
    '1',
  ],
  'one that is emptied, where others write nothing, is dropped with both ids': [
    async ({ session }, { courses }) => {
      courses.retire = [fails]
      await codeOf(() => session.regenerate())
      Reflect.deleteProperty(session, 'a')
    },
    {},
    undefined,
  ],
  'what is to be kept is as it was said last': [
    async ({ session }, { courses, write }) => {
      courses.retire = [fails]
      await codeOf(() => session.regenerate())
      write('A', { b: '2', c: '3' })
      await session.regenerate({ keep: ['a', 'b'] })
    },
    { 1: { a: 1, b: 2 } },
    '1',
  ],
}

for (const [title, [handle, held, client, code]] of Object.entries(STORIES)) {
  test(title, async () => {
    const one = site()
    const request = await one.visit('A')
    await handle(request, one)
    assert.equal(await codeOf(() => request.scope.finish()), code)
    assert.deepEqual([one.held(), request.exchange.client], [held, client])
  })
}

test('what others write under an id that could not be retired keeps a session that is emptied', async () => {
  const { courses, visit, write, held } = site()
  const { scope, session, exchange } = await visit('A')
  courses.retire = [fails]
  await codeOf(() => session.regenerate())
  write('A', { b: '2' })
  Reflect.deleteProperty(session, 'a')
  await scope.finish()
  assert.deepEqual([Object(held()[1]).b, exchange.client, session.toJSON()], [2, '1', { b: 2 }])
})

test('in a store that can not retire, the request waits until the old id is destroyed', async () => {
  const { courses, visit, held } = site({}, ['retire'])
  const { session } = await visit('A')
  const slow = new Gate()
  courses.destroy = [slow.course]
  let isDone = false
  const saving = session.regenerate().then(() => {
    isDone = true
  })
  await slow.arrived
  await sleep(2)
  assert.equal(isDone, false)
  slow.open()
  await saving
  assert.deepEqual(held(), { 1: { a: 1 } })
})

test('a request that is told to go on may wait for the store as long again', async () => {
  const { courses, visit, held } = site({ storeTimeout: 60 })
  const { scope, session } = await visit('A')
  const slowly = async (ask: () => unknown) => {
    await sleep(40)
    return ask()
  }
  courses.patch = [slowly, slowly]
  for (const b of [1, 2]) {
    session.b = b
    await session.save()
  }
  await scope.finish()
  assert.deepEqual(held(), { A: { a: 1, b: 2 } })
})
