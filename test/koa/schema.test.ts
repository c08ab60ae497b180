import assert from 'node:assert/strict'
import test, { type TestContext as Test } from 'node:test'
import { type } from 'arktype'
import type { CreateSessionOptions, SessionOptions, StandardSchema, StoredPayload } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import * as v from 'valibot'
import { z } from 'zod'
import type { Visitor } from '../support/agent.ts'
import { codesOf } from '../support/errors.ts'
import { type Pages, serve } from '../support/story.ts'

/** Schemas are of data of their own, which the tables here have in common as little as possible. */
type Options = SessionOptions<Record<string, unknown>>

const VALIDATORS: Record<string, unknown> = {
  zod: z.object({ user: z.string().optional(), age: z.number().optional() }),
  valibot: v.object({ user: v.optional(v.string()), age: v.optional(v.number()) }),
  arktype: type({ 'user?': 'string', 'age?': 'number' }),
}

const DAY = 24 * 60 * 60 * 1000

function schemaOf(schema: unknown): Options {
  return { schema: schema as StandardSchema<Record<string, unknown>> }
}

const PAGES: Pages = {
  '/': ctx => JSON.stringify(ctx.session),
  '/set': ctx => void Object.assign(ctx.session, JSON.parse(decodeURIComponent(ctx.querystring))),
  '/date': ctx => {
    ctx.session.when = new Date(0)
  },
}

/** `told`: the codes of the errors, and then what the events `session:invalid` have. */
async function begin(t: Test, options: Options) {
  const made = await serve(t, options as CreateSessionOptions, PAGES)
  return { ...made, told: () => [...made.codes(), ...made.said('invalid').map(({ value }) => value)] }
}

const set = (visitor: Visitor, data: object) => visitor.get(`/set?${encodeURIComponent(JSON.stringify(data))}`)
const read = async (visitor: Visitor) => JSON.parse((await visitor.get('/')).text)

/** Writes `data` past the schema: into the unsigned cookie of `visitor`. */
function forge({ jar }: Visitor, data: object): StoredPayload {
  const payload = { ...data, _expire: Date.now() + DAY, _maxAge: DAY }
  jar.set('koa.sess', Buffer.from(JSON.stringify(payload)).toString('base64'))
  return payload
}

for (const [name, schema] of Object.entries(VALIDATORS)) {
  const modes: Record<string, () => Options> = {
    'in the cookie': () => schemaOf(schema),
    'in a store': () => ({ ...schemaOf(schema), store: memoryStore() }),
  }
  for (const [mode, options] of Object.entries(modes)) {
    test(`${name}: data that passes is kept, with keys that the schema does not know (${mode})`, async t => {
      const { visitor, told } = await begin(t, options())
      assert.deepEqual(await read(visitor), {})
      const data = { user: 'tobi', age: 3, passport: { user: { id: 1 } }, _csrf: 'token' }
      await set(visitor, data)
      assert.deepEqual(await read(visitor), data)
      await set(visitor, { age: 4 })
      assert.deepEqual(await read(visitor), { ...data, age: 4 })
      assert.deepEqual(told(), [])
    })

    test(`${name}: a bad value is refused before it is saved, by the name of its key alone (${mode})`, async t => {
      const { visitor, errors } = await begin(t, options())
      await set(visitor, { user: 'tobi' })
      const { status, cookies } = await set(visitor, { age: 'hunter2' })
      assert.deepEqual({ status, cookies }, { status: 500, cookies: [] })
      assert.deepEqual(codesOf(errors), ['ERR_SESSION_SCHEMA'])
      assert.match(errors[0]?.message ?? '', /session\.age\b/)
      assert.doesNotMatch(`${errors[0]?.message}${errors[0]?.stack}`, /hunter2/)
      assert.deepEqual(await read(visitor), { user: 'tobi' })
    })
  }

  test(`${name}: bad data in a forged cookie is session:invalid, and a new session`, async t => {
    const { visitor, told } = await begin(t, { ...schemaOf(schema), signed: false })
    const payload = forge(visitor, { user: { $ne: null } })
    const { status, text } = await visitor.get('/')
    assert.deepEqual({ status, text, told: told() }, { status: 200, text: '{}', told: [payload] })
  })

  test(`${name}: bad data in a store is session:invalid, and a new session with a new id`, async t => {
    const store = memoryStore()
    const { visitor, told } = await begin(t, { ...schemaOf(schema), store })
    await set(visitor, { user: 'tobi' })
    const id = visitor.jar.get('koa.sess') ?? ''
    const payload = { user: ['tobi'], _expire: Date.now() + DAY, _maxAge: DAY }
    store.set(id, payload, DAY)
    assert.deepEqual(await read(visitor), {})
    assert.deepEqual(told(), [payload])
    await set(visitor, { user: 'loki' })
    assert.notEqual(visitor.jar.get('koa.sess'), id)
  })
}

const REWRITERS: Record<string, unknown> = {
  'defaults, transforms and coercion of zod': z.object({
    user: z.string().toUpperCase(),
    role: z.string().default('admin'),
    age: z.coerce.number(),
    cart: z.object({ items: z.array(z.coerce.number()) }),
  }),
  'defaults and pipes of valibot': v.object({
    user: v.pipe(v.string(), v.toUpperCase()),
    role: v.optional(v.string(), 'admin'),
    age: v.pipe(v.string(), v.transform(Number)),
    cart: v.object({ items: v.array(v.pipe(v.string(), v.transform(Number))) }),
  }),
  'defaults and morphs of arktype': type({
    user: 'string.upper',
    role: 'string = "admin"',
    age: 'string.integer.parse',
    cart: { items: 'string.integer.parse[]' },
    '+': 'delete',
  }),
  'a validator that writes to what it is given': {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate(value: Record<string, Record<string, unknown>>) {
        value.user = {}
        if (value.cart) value.cart.items = []
        return { value }
      },
    },
  },
}

for (const [claim, schema] of Object.entries(REWRITERS)) {
  for (const common of [{ signed: false }, { store: memoryStore() }]) {
    const mode = 'store' in common ? 'in a store' : 'in the cookie'
    test(`${claim} change nothing of the session (${mode})`, async t => {
      const { visitor, told } = await begin(t, { ...schemaOf(schema), ...common })
      const data = { user: 'tobi', age: '3', cart: { items: ['1'] }, extra: true }
      await set(visitor, data)
      assert.deepEqual(await read(visitor), data)
      await set(visitor, { extra: false })
      assert.deepEqual(await read(visitor), { ...data, extra: false })
      assert.deepEqual(told(), [])
    })
  }
}

test('a Date is refused where the schema asks for one: the next request would read a string', async t => {
  for (const schema of [z.object({ when: z.date().optional() }), type({ 'when?': 'Date' })]) {
    const { visitor, errors } = await begin(t, schemaOf(schema))
    assert.equal((await visitor.get('/date')).status, 500)
    assert.deepEqual(codesOf(errors), ['ERR_SESSION_SCHEMA'])
    assert.match(errors[0]?.message ?? '', /session\.when\b/)
  }
})

test('a Date is saved where the schema asks for its text', async t => {
  const { visitor, told } = await begin(t, schemaOf(z.object({ when: z.iso.datetime() })))
  await visitor.get('/date')
  assert.deepEqual(await read(visitor), { when: '1970-01-01T00:00:00.000Z' })
  assert.deepEqual(told(), [])
})

test('an error names the whole path to a bad value', async t => {
  const schema = z.object({ cart: z.object({ items: z.array(z.number()) }) })
  const { visitor, errors } = await begin(t, schemaOf(schema))
  await set(visitor, { cart: { items: [1, 'hunter2'] } })
  assert.match(errors[0]?.message ?? '', /session\.cart\.items\.1 /)
})

const ASYNC = z.object({ user: z.string().refine(async user => user !== 'loki') })

test('an async schema checks a session in a store, when it is read and before it is saved', async t => {
  const store = memoryStore()
  const { visitor, told } = await begin(t, { ...schemaOf(ASYNC), store })
  await set(visitor, { user: 'tobi' })
  assert.deepEqual(await read(visitor), { user: 'tobi' })
  assert.equal((await set(visitor, { user: 'loki' })).status, 500)
  const payload = { user: 'loki' }
  store.set(visitor.jar.get('koa.sess') ?? '', payload, DAY)
  assert.deepEqual(await read(visitor), {})
  assert.deepEqual(told(), ['ERR_SESSION_SCHEMA', payload])
})

test('an async schema is ERR_SESSION_ASYNC in the cookie, when it is read and before it is saved', async t => {
  const { visitor, told } = await begin(t, { ...schemaOf(ASYNC), signed: false })
  const { status, cookies } = await set(visitor, { user: 'tobi' })
  assert.deepEqual({ status, cookies }, { status: 500, cookies: [] })
  forge(visitor, { user: 'loki' })
  assert.equal((await visitor.get('/')).status, 500)
  assert.deepEqual(told(), ['ERR_SESSION_ASYNC', 'ERR_SESSION_ASYNC'])
})

test('metadata is not shown to the schema, so that a strict one passes', async t => {
  for (const common of [{}, { store: memoryStore() }]) {
    const { visitor, told } = await begin(t, {
      ...schemaOf(z.strictObject({ user: z.string().optional() })),
      ...common,
    })
    await set(visitor, { user: 'tobi' })
    assert.deepEqual(await read(visitor), { user: 'tobi' })
    assert.equal((await set(visitor, { stranger: 1 })).status, 500)
    assert.deepEqual(told(), ['ERR_SESSION_SCHEMA'])
  }
})
