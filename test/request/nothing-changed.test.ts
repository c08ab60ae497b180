/** A request that changes nothing saves nothing, and sends nothing: counted in each mode, with each option. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { newSecret } from '../support/secrets.ts'
import { fails } from '../support/stores.ts'
import { codeOf, site } from './site.ts'

type Method = 'read' | 'create' | 'patch' | 'touch' | 'retire' | 'list' | 'destroyAll'
type Options = Readonly<Record<string, unknown>>

const KEYS = [newSecret()]
const KEYED: readonly Method[] = ['read', 'create', 'patch', 'touch', 'retire', 'list', 'destroyAll']

/** Options, and the methods that the store lacks. */
const MODES: Readonly<Record<string, readonly [options: Options, without: readonly Method[]]>> = {
  signed: [{ store: null }, []],
  'signed, with an encode of its own': [{ store: null, encode: JSON.stringify, decode: JSON.parse }, []],
  sealed: [{ store: null, seal: true, keys: KEYS }, []],
  memory: [{}, []],
  'a store of three methods': [{}, KEYED],
  'a store without retire': [{}, ['retire']],
  'a store that does not know whose sessions it has': [{}, ['list', 'destroyAll']],
}

const subject = ({ user }: { user?: string }) => user
const valid = () => true
const schema = { '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) } }

const OPTIONS: Readonly<Record<string, Options>> = {
  'no option': {},
  subject: { subject },
  'a subject of nobody': { subject: () => undefined },
  valid: { valid },
  'an async valid': { valid: async () => true },
  schema: { schema },
  'renew, not due': { renew: true },
  absoluteTimeout: { absoluteTimeout: 1e9 },
  "maxAge 'session'": { maxAge: 'session' },
  'all of them': { subject, valid, schema, renew: true, absoluteTimeout: 1e9, beforeSave: () => {} },
}

const HANDLERS: Readonly<Record<string, (request: ReturnType<ReturnType<typeof site>['begin']>) => unknown>> = {
  'does not ask for it': () => {},
  'reads it': ({ session }) => JSON.stringify(session),
  'changes it and changes it back': ({ session }) => {
    session.n = 2
    session.n = 1
  },
  'puts equal values in it': ({ session }) => Object.assign(session, structuredClone(session.toJSON())),
  'asks whether it is fresh': ({ session }) => session.isFresh(1000),
}

const DATA = { user: 'ada', n: 1, cart: [{ what: 'a book', price: 1.5 }], seen: new Date(0), 'ключ "é"': '\u2028 \\' }

async function signedIn(options: Options, without: readonly Method[]) {
  // An id of a store needs a genid; a cookie has none.
  const made = site({ ...options, ...(options.store === null && { genid: undefined }) }, without)
  const first = made.begin()
  await first.scope.start(false)
  Object.assign(first.session, DATA)
  await first.session.regenerate({ fresh: true })
  await first.scope.finish()
  const client = first.exchange.client as string
  if (without.includes('list') && !without.includes('read')) {
    const lifetime = made.memory.read(client)?.lifetime ?? {}
    made.memory.patch(client, { set: {}, unset: [], lifetime, keepsEmpty: true, subject: null }, 1e6)
  }
  made.calls.length = 0
  made.clock.advance(1000)
  return { ...made, client }
}

for (const [mode, [store, without]] of Object.entries(MODES)) {
  for (const [which, options] of Object.entries(OPTIONS)) {
    test(`${mode}, ${which}: nothing is saved or sent where nothing has changed`, async () => {
      const { calls, begin, client } = await signedIn({ ...store, ...options }, without)
      for (const [what, handle] of Object.entries(HANDLERS)) {
        const request = begin(client)
        await request.scope.start(false)
        await handle(request)
        await request.scope.finish()
        const writes = calls.filter(call => !/^(get|read) /.test(call))
        assert.deepEqual([what, writes, request.exchange.sent], [what, [], undefined])
      }
    })
  }

  for (const [which, options] of Object.entries({ rolling: {}, 'rolling and a subject': { subject } })) {
    test(`${mode}, ${which}: one extension is all that is saved`, async () => {
      const { calls, begin, client } = await signedIn({ ...store, rolling: true, ...options }, without)
      const extension = store.store === null ? [] : [`${without.includes('touch') ? 'set' : 'touch'} ${client}`]
      for (const [what, handle] of Object.entries(HANDLERS)) {
        calls.length = 0
        const request = begin(client)
        await request.scope.start(false)
        await handle(request)
        await request.scope.finish()
        const writes = calls.filter(call => !/^(get|read) /.test(call))
        const { sent, isUnasked } = request.exchange
        // What nobody asked for is not sent where a shared cache may keep the response.
        assert.deepEqual([what, writes, sent !== undefined, isUnasked], [what, extension, true, true])
      }
    })
  }
}

test('a new id has to arrive, though the session is only extended', async () => {
  const { courses, visit, held } = site({ rolling: true })
  const { scope, session, exchange } = await visit('A')
  courses.create = [fails]
  assert.equal(await codeOf(() => session.regenerate()), 'ERR_SESSION_STORE')
  await scope.finish()
  assert.deepEqual([held(), exchange.sent, exchange.isUnasked], [{ 2: { a: 1 } }, '2', false])
})

test('a change has to arrive', async () => {
  const { visit } = site({ rolling: true })
  const { scope, session, exchange } = await visit('A')
  session.a = 2
  await scope.finish()
  assert.deepEqual([exchange.sent, exchange.isUnasked], ['A', false])
})
