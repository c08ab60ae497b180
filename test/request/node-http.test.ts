/** Stories over HTTP without Koa: the seam between a request's session and a framework is enough for another one. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import test, { type TestContext as Test } from 'node:test'
import { signBy } from '../../src/codec/signature.ts'
import type { SessionEvent } from '../../src/request/exchange.ts'
import type { Session } from '../../src/session/session.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { listen, visitOrigin } from '../support/agent.ts'
import { type Site, withSessions } from './node-http.ts'

type Data = Session & Record<string, unknown>
type Web = Parameters<Site['handle']>[0]

const KEY = 'koa.sess'
const sessionOf = ({ scope }: Web) => scope.session as Data
const show = (web: Web) => JSON.stringify(web.scope.session)
const count = (web: Web) => {
  const session = sessionOf(web)
  session.count = Number(session.count ?? 0) + 1
  return String(session.count)
}

const PAGES: Readonly<Record<string, (web: Web) => unknown>> = {
  '/': show,
  '/count': count,
  '/sign-in': async web => {
    sessionOf(web).user = 'ann'
    await sessionOf(web).regenerate()
  },
  '/sign-out': ({ scope }) => {
    scope.session = null
  },
  '/early': web => {
    const text = count(web)
    web.res.write('counted ')
    return text
  },
  '/fails': web => {
    count(web)
    throw new Error('of the handler')
  },
}

async function open(t: Test, options: Record<string, unknown> = {}) {
  const events: SessionEvent[] = []
  const secrets = ['a secret of sixteen bytes', 'an older secret than that']
  const handle = async (web: Web) => PAGES[web.req.url ?? '']?.(web)
  const server = createServer(withSessions({ options, secrets, handle, emit: event => events.push(event) }))
  return { events, visitor: visitOrigin(t, await listen(t, server)) }
}

test('a visitor is counted in a signed cookie', async t => {
  const { visitor, events } = await open(t)
  const texts = []
  for (let visit = 0; visit < 3; visit++) texts.push((await visitor.get('/count')).text)
  assert.deepEqual(texts, ['1', '2', '3'])
  const { headers, cookies } = await visitor.get('/')
  assert.deepEqual([headers.get('vary'), headers.get('cache-control'), cookies], ['Cookie', null, []])
  assert.equal((await visitor.get('/count')).headers.get('cache-control'), 'no-store')
  assert.equal((await visitor.stranger().get('/count')).text, '1')
  assert.deepEqual(events, [])
})

test('a forged cookie is refused, and the application is told', async t => {
  const { visitor, events } = await open(t)
  await visitor.get('/count')
  const forger = visitor.copy()
  forger.jar.set(KEY, Buffer.from('{"count":1000}').toString('base64'))
  assert.equal((await forger.get('/')).text, '{}')
  assert.deepEqual(events, [{ type: 'refused', refused: { fault: 'none', reason: 'signature' } }])
  assert.equal((await visitor.get('/count')).text, '2')
})

test('a session in a store has a new id after sign-in, and sign-out destroys it', async t => {
  const store = memoryStore()
  const { visitor, events } = await open(t, { store })
  await visitor.get('/count')
  const before = visitor.copy()
  await visitor.get('/sign-in')
  assert.notEqual(visitor.jar.get(KEY), before.jar.get(KEY))
  assert.equal((await visitor.get('/')).text, '{"count":1,"user":"ann"}')
  assert.equal((await before.get('/')).text, '{}', 'under the old id')
  const after = visitor.copy()
  await visitor.get('/sign-out')
  assert.deepEqual([...visitor.jar], [])
  assert.equal(store.read(after.jar.get(KEY) ?? ''), undefined)
  assert.equal((await after.get('/')).text, '{}')
  assert.deepEqual(
    events.map(event => event.type === 'refused' && event.refused.reason),
    ['retired', 'missing'],
  )
})

for (const [where, options] of Object.entries({
  'a cookie': () => ({}),
  'a store': () => ({ store: memoryStore() }),
})) {
  test(`headers that leave before the handler is done carry the session in ${where}`, async t => {
    const { visitor } = await open(t, options())
    assert.equal((await visitor.get('/early')).text, 'counted 1')
    assert.equal((await visitor.get('/early')).text, 'counted 2')
    assert.equal((await visitor.get('/')).text, '{"count":2}')
  })

  test(`a handler that throws does not undo what it changed in ${where}`, async t => {
    const { visitor, events } = await open(t, options())
    const { status, text } = await visitor.get('/fails')
    assert.deepEqual([status, text], [500, 'error'])
    assert.equal((await visitor.get('/')).text, '{"count":1}')
    assert.deepEqual(events, [])
  })
}

test('a cookie with the signature of an older secret is signed anew', async t => {
  const { visitor } = await open(t)
  await visitor.get('/count')
  const older = signBy('an older secret than that', `${KEY}=${visitor.jar.get(KEY)}`)
  visitor.jar.set(`${KEY}.sig`, older)
  assert.equal((await visitor.get('/')).text, '{"count":1}')
  assert.notEqual(visitor.jar.get(`${KEY}.sig`), older)
  assert.deepEqual((await visitor.get('/')).cookies, [], 'the second time')
})

test('the adapter has nothing of Koa', async () => {
  const source = await readFile(new URL('./node-http.ts', import.meta.url), 'utf8')
  assert.doesNotMatch(source, /from '([^']*\/)?koa(\/[^']*)?'/)
})
