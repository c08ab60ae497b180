/** What serves the requests of one middleware: made of its options, and anew when they have changed. */
import assert from 'node:assert/strict'
import test from 'node:test'
import type { Config } from '../../src/config.ts'
import { CookieBackend } from '../../src/request/cookie-backend.ts'
import { watch } from '../../src/request/parts.ts'
import { Settings } from '../../src/request/settings.ts'
import { StoreBackend } from '../../src/request/store-backend.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { heard, warningsOf } from '../support/warnings.ts'
import { FakeExchange } from './exchange.ts'

type Options = Record<string, unknown>

/** The parts of `options`, and for which configs a framework was asked. */
function watched(options: Options) {
  const asked: Config[] = []
  const cookie = { get: () => undefined, isPresent: () => false, set: () => [], clear: () => [], check: () => {} }
  const parts = watch(options, config => {
    asked.push(config)
    return { jar: () => cookie, appKeys: () => undefined }
  })
  return { parts, asked }
}

const CHANGES: Readonly<Record<string, (options: Options) => unknown>> = {
  'an option was added': options => Object.assign(options, { rolling: true }),
  'an option was taken away': options => Reflect.deleteProperty(options, 'maxAge'),
  'an option has another value': options => Object.assign(options, { maxAge: 2 }),
  'an option has another name': options => {
    Reflect.deleteProperty(options, 'maxAge')
    options.ttl = 1
  },
}

for (const [what, change] of Object.entries(CHANGES)) {
  test(`the parts stay the same until ${what}`, () => {
    const options: Options = { key: 's', maxAge: 1 }
    const { parts, asked } = watched(options)
    const first = parts()
    assert.equal(parts(), first)
    change(options)
    const second = parts()
    assert.notEqual(second, first)
    assert.equal(parts(), second)
    assert.deepEqual(asked, [first.config, second.config])
    assert.equal(second.options, options)
  })
}

const store = memoryStore()
class ContextStore {
  get() {}
  set() {}
  destroy() {}
}
const isValid = async () => true

const KINDS: ReadonlyArray<readonly [what: string, options: Options, isLazy: boolean, backend: object]> = [
  ['nothing', {}, true, CookieBackend],
  ['rolling', { rolling: true }, false, CookieBackend],
  ['renew', { renew: true }, false, CookieBackend],
  ['an async valid', { valid: isValid }, false, CookieBackend],
  ['an async valid and lazy', { valid: isValid, lazy: true }, true, CookieBackend],
  ['lazy', { lazy: true }, true, CookieBackend],
  ['a store', { store }, false, StoreBackend],
  ['a lazy store', { store, lazy: true }, true, StoreBackend],
  ['a lazy store and rolling', { store, lazy: true, rolling: true }, true, StoreBackend],
  ['a ContextStore', { ContextStore }, false, StoreBackend],
]

test('a request without a session has nothing to do where nothing is kept alive, or is asked of a store', () => {
  for (const [what, options, isLazy, backend] of KINDS) {
    const parts = watched(options).parts()
    const made = parts.backendFor(new FakeExchange(), new Settings(parts.config)).constructor
    assert.deepEqual({ what, isLazy: parts.isLazy, made }, { what, isLazy, made: backend })
  }
})

test('the store of a ContextStore is made with the context of the request, and of each request anew', () => {
  const contexts: unknown[] = []
  class Counted extends ContextStore {
    constructor(ctx: unknown) {
      super()
      contexts.push(ctx)
    }
  }
  const { backendFor, config } = watched({ ContextStore: Counted }).parts()
  const exchanges = [new FakeExchange('id'), new FakeExchange('id')]
  for (const exchange of exchanges) void backendFor(exchange, new Settings(config)).load('id')
  assert.deepEqual(
    contexts,
    exchanges.map(({ ctx }) => ctx),
  )
})

test('of options that nobody knows it warns where it can say what is meant, and names the others', async t => {
  const warnings = warningsOf(t, 'KOA_SESSION_OPTION')
  const parts = watched({ maxage: 1, resave: true, wholly: 1, different: 2 }).parts()
  await heard()
  assert.deepEqual(parts.unknown, ['wholly', 'different'])
  assert.deepEqual(
    warnings.map(({ message }) => /no option (\w+),.*?: (.*)$/.exec(message)?.slice(1)),
    [['resave', 'remove it: a session is saved when it was changed, or with the option rolling or renew']],
  )
})

test('a cap and an end by reuse are refused when the parts are made, where nobody can hold them', () => {
  const cap = { maxSessions: { count: 1 } }
  for (const options of [cap, { onReuse: 'end' }]) {
    assert.throws(() => watched(options), { code: 'ERR_SESSION_OPTION' })
  }
})

/** A store without `names`, which each request has from a class. */
function contextStore(...names: readonly string[]) {
  const made = Object.fromEntries(Object.entries(memoryStore()).filter(([name]) => !names.includes(name)))
  return class extends ContextStore {
    constructor() {
      super()
      // biome-ignore lint/correctness/noConstructorReturn: a class may give any object
      return made as unknown as ContextStore
    }
  }
}

const UNABLE: Readonly<Record<string, () => Options>> = {
  'a ContextStore of three methods': () => ({ ContextStore }),
  'a ContextStore that can not list or retire': () => ({ ContextStore: contextStore('list', 'retire') }),
  'a ContextStore that can not end one or retire': () => ({ ContextStore: contextStore('destroyAll', 'retire') }),
  'a store that has got another get since': () => ({ store: { ...memoryStore() } }),
}
for (const [what, make] of Object.entries(UNABLE)) {
  for (const own of [{ maxSessions: { count: 1 }, subject: () => 'ann' }, { onReuse: 'end' }]) {
    test(`with ${what}, ${Object.keys(own)[0]} is an error of the request that needs the store`, () => {
      const options = { ...make(), ...own }
      const { backendFor, config } = watched(options).parts()
      if ('store' in options) Object.assign(Object(options.store), { get() {} })
      const backend = backendFor(new FakeExchange('id'), new Settings(config))
      assert.throws(() => backend.load('id'), { code: 'ERR_SESSION_OPTION' })
    })
  }
}
