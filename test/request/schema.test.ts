/** What is checked before a session is saved, and the errors that a request's session knows. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { digest } from '../../src/codec/digest.ts'
import { tooLarge } from '../../src/codec/size.ts'
import { resolveConfig } from '../../src/config.ts'
import { SessionError } from '../../src/errors.ts'
import type { StandardSchema } from '../../src/options.ts'
import type { Backend } from '../../src/request/backend.ts'
import { changeHere } from '../../src/request/draft.ts'
import { newId, takenError, unreachableError } from '../../src/request/ids.ts'
import { extend } from '../../src/request/keep-alive.ts'
import { ownerOf, prepare } from '../../src/request/prepare.ts'
import { propertyError } from '../../src/request/property-error.ts'
import { checkSchema, passesSchema } from '../../src/request/schema.ts'
import type { Session } from '../../src/session/session.ts'
import { codeOf, site } from './site.ts'

/** A validator that says what it was given, and finds `issues`. */
function schemaWith(issues: unknown, isAsync = false) {
  const given: unknown[] = []
  const validate = (data: unknown) => {
    given.push(structuredClone(data))
    Object.assign(Object(data), { written: true })
    const result = issues ? { issues } : { value: data }
    return isAsync ? Promise.resolve(result) : result
  }
  return { given, schema: { '~standard': { version: 1, vendor: 'test', validate } } as unknown as StandardSchema }
}

const ISSUE = [{ message: 'secret', path: ['a', { key: 'b' }, 0] }]

test('a payload passes by its data alone, of which the validator has a copy', async () => {
  const payload = { a: { b: 1 }, _expire: 1, _maxAge: 1, _meta: {} }
  for (const isAsync of [false, true]) {
    const [good, bad] = [schemaWith(undefined, isAsync), schemaWith(ISSUE, isAsync)]
    assert.equal(await passesSchema(good.schema, payload), true)
    assert.equal(await passesSchema(bad.schema, payload), false)
    assert.deepEqual([good.given, payload.a], [[{ a: { b: 1 } }], { b: 1 }])
  }
  assert.equal(passesSchema(undefined, payload), true)
  const cyclic: Record<string, unknown> = {}
  cyclic.self = cyclic
  assert.equal(passesSchema(schemaWith(undefined).schema, cyclic), false)
})

test('data that do not pass are an error that names the key, without the words of the validator', async () => {
  for (const [issues, name] of [
    [ISSUE, 'session.a.b.0'],
    [[{ message: 'secret' }], 'session'],
    [[{ message: 'secret', path: [Symbol('s')] }, ...ISSUE], 'session.Symbol(s)'],
    [[{ message: 'secret', path: ['a', 'b\n\u001b[2J\u009b'] }], 'session.a.b\\n\\u001b[2J%C2%9B'],
  ] as const) {
    for (const isAsync of [false, true]) {
      await assert.rejects(async () => checkSchema(schemaWith(issues, isAsync).schema, '{}'), {
        code: 'ERR_SESSION_SCHEMA',
        message: `${name} does not pass the option schema, and is not saved; correct it`,
      })
    }
  }
  assert.equal(checkSchema(undefined, '{}'), undefined)
  for (const issues of [undefined, []]) assert.equal(checkSchema(schemaWith(issues).schema, '{"a":1}'), undefined)
})

const sessionOf = (data: object) => Object.assign(site().begin().session, data) as Session

test('beforeSave is called before the schema looks at the session', async () => {
  const { given, schema } = schemaWith(undefined)
  const ctx = {}
  for (const beforeSave of [
    (at: unknown, session: object) => void Object.assign(session, { b: at === ctx }),
    async (at: unknown, session: object) => void Object.assign(session, { b: at === ctx }),
  ]) {
    await prepare(ctx, resolveConfig({ beforeSave, schema }), sessionOf({ a: 1 }))
    assert.deepEqual(given.shift(), { a: 1, b: true })
    const alone = sessionOf({ a: 1 })
    await prepare(ctx, resolveConfig({ beforeSave }), alone)
    assert.deepEqual(alone.toJSON(), { a: 1, b: true })
  }
  await prepare(ctx, resolveConfig({ schema }), sessionOf({ a: 1 }))
  assert.deepEqual(given, [{ a: 1 }])
  assert.equal(prepare(ctx, resolveConfig({}), sessionOf({ a: 1n })), undefined)
  assert.equal(
    await codeOf(() => prepare(ctx, resolveConfig({ schema: schemaWith(ISSUE).schema }), sessionOf({}))),
    'ERR_SESSION_SCHEMA',
  )
})

const ONE_OF = 'expected a string, a whole number up to 2^53 - 1, a bigint, or undefined while nobody has signed in'

test('the owner of a session is the digest of its subject', () => {
  const ownerBy = (subject: unknown) => ownerOf(resolveConfig({ subject: () => subject }), sessionOf({}))
  assert.equal(ownerBy('ann'), digest('ann'))
  for (const nobody of [undefined, null]) assert.equal(ownerBy(nobody), undefined)
  assert.equal(ownerOf(resolveConfig({}), sessionOf({})), undefined)
  for (const [subject, shown] of [
    ['', 'an empty string'],
    [{}, 'an object'],
    [0.5, 'a number'],
  ]) {
    assert.throws(() => ownerBy(subject), {
      code: 'ERR_SESSION_OPTION',
      message: `option subject gave ${shown}, ${ONE_OF}`,
    })
  }
  // Node would end the process for a rejection that nobody handles.
  for (const given of [Promise.resolve('ann'), Promise.reject(new Error('of subject'))]) {
    assert.throws(() => ownerBy(given), { code: 'ERR_SESSION_ASYNC', message: /^subject returned a promise/ })
  }
})

test('a change in place is that of a draft, whole or not at all', () => {
  const session = sessionOf({ a: 1, b: 2 }) as Session & Record<string, unknown>
  changeHere(session, draft => {
    Object.assign(draft, { a: 10, c: 3 })
    Reflect.deleteProperty(draft, 'b')
  })
  assert.deepEqual(session.toJSON(), { a: 10, c: 3 })
  changeHere(session, () => {})
  assert.throws(() => changeHere(session, async () => {}), { code: 'ERR_SESSION_ASYNC', message: /^update returned/ })
  assert.deepEqual(session.toJSON(), { a: 10, c: 3 })
  changeHere(sessionOf({}), draft => Object.assign(draft, { a: 1 }))
})

const UNREACHABLE =
  'the new id of the session can not be sent, because the headers have left; ' +
  'begin the session, or regenerate it, before the response begins'
const NO_ID = 'expected a string that is not empty, unique and made by chance'
const TAKEN = '3 ids that the store has already; make ids by chance, as the default does'

/** What is said, by its code. */
const SAID: ReadonlyArray<readonly [error: () => unknown, said: string]> = [
  [takenError, `ERR_SESSION_ID: the option genid returned ${TAKEN}`],
  [unreachableError, `ERR_SESSION_HEADERS_SENT: ${UNREACHABLE}`],
  [
    () => newId({}, resolveConfig({ genid: () => '' })),
    `ERR_SESSION_ID: the option genid returned an empty string, ${NO_ID}`,
  ],
  [() => newId({}, resolveConfig({ genid: () => 7 })), `ERR_SESSION_ID: the option genid returned a number, ${NO_ID}`],
  [
    () => newId({}, resolveConfig({ genid: async () => 'A' })),
    'ERR_SESSION_ASYNC: genid returned a promise where none can be awaited; use a function that is not async',
  ],
  [
    () => tooLarge('s', 5000),
    'ERR_SESSION_TOO_LARGE: the cookie s has 5000 bytes, and browsers drop one of more than 4096: keep less in the session, or keep it in a store (option store)',
  ],
  [
    () => propertyError(resolveConfig({ property: 'own' }), 'ERR_SESSION_VALUE', 'was wrong', 'why'),
    'ERR_SESSION_VALUE: ctx.own was wrong: why (Error: why)',
  ],
]

for (const [make, said] of SAID) {
  test(said, () => {
    let error: unknown
    try {
      error = make()
    } catch (thrown) {
      error = thrown
    }
    const { code, message, cause } = error as SessionError
    assert.equal(`${code}: ${message}${cause ? ` (${cause})` : ''}`, said)
  })
}

test('an id is what genid gives for the context', () => {
  assert.equal(newId('ctx', resolveConfig({ genid: (ctx: unknown) => `${ctx} 1` })), 'ctx 1')
})

/** Whether a session that could not be extended stays as it is: with `onStoreError: 'throw'`, and with `'anonymous'`. */
const BEARABLE: ReadonlyArray<readonly [error: unknown, isBorne: boolean, isBorneAnonymously: boolean]> = [
  [new SessionError('ERR_SESSION_TOO_LARGE', ''), true, true],
  [new SessionError('ERR_SESSION_STORE', ''), false, true],
  [new SessionError('ERR_SESSION_TIMEOUT', ''), false, true],
  [new SessionError('ERR_SESSION_SCHEMA', ''), false, false],
  [Object.assign(new Error('own'), { code: 'ERR_SESSION_TOO_LARGE' }), false, false],
]

for (const [error, isBorne, isBorneAnonymously] of BEARABLE) {
  test(`${Object(error).code} of an extension`, async () => {
    const backends = [
      { extend: () => Promise.reject(error) },
      {
        extend: () => {
          throw error
        },
      },
    ] as unknown as Backend[]
    for (const backend of backends) {
      for (const [onStoreError, isGood] of [
        ['throw', isBorne],
        ['anonymous', isBorneAnonymously],
      ] as const) {
        const thrown = await (async () => extend(backend, sessionOf({}), onStoreError))().catch(one => one)
        assert.equal(thrown, isGood ? undefined : error)
      }
    }
  })
}
