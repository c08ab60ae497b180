/** What carries a session, or the id of a stored one, by the options. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { createKeyrings } from '../../src/codec/keyring.ts'
import { open, sealContext } from '../../src/codec/sealed.ts'
import { resolveConfig } from '../../src/config.ts'
import { carrierFor, isStored } from '../../src/request/carriers.ts'
import type { CookieKind } from '../../src/request/jar.ts'
import { Settings } from '../../src/request/settings.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { newSecret } from '../support/secrets.ts'

const SECRETS = [newSecret()]
const store = memoryStore()
class ContextStore {
  get() {}
  set() {}
  destroy() {}
}
const externalKey = { get: () => 'of the header', set() {} }
const encode = JSON.stringify

/** The carrier of these options, the cookies that it has, and what it sends for `value`. */
function carrying(options: Record<string, unknown>, value = 'value') {
  const kinds: CookieKind[] = []
  const config = resolveConfig(options)
  const carrier = carrierFor(config, {
    appKeys: () => SECRETS,
    jar: kind => {
      kinds.push(kind)
      const line = (sent: string) => [`${kind.suffix ?? ''}=${sent}`]
      return {
        get: () => 'of the cookie',
        isPresent: () => false,
        set: (_, sent) => line(sent),
        clear: () => [],
        check: () => {},
      }
    },
  })
  const at = { ctx: {}, settings: new Settings(config), jarState: undefined }
  return { kinds, carrier, at, lines: carrier.write(at, value, []) }
}

/** Whether sessions are stored, and whether no value has to be looked at for what a cookie can't hold. */
const COOKIES: ReadonlyArray<
  readonly [what: string, options: Record<string, unknown>, stored: boolean, plain: boolean]
> = [
  ['a session', {}, false, true],
  ['a session that the application encodes', { encode }, false, false],
  ['an id in a store, which the application may have made', { store }, true, false],
  ['an id in a ContextStore', { ContextStore }, true, false],
  ['a session whose option externalKey is for stores', { externalKey }, false, true],
]
for (const [what, options, isInStore, isPlain] of COOKIES) {
  test(`one cookie carries ${what}`, () => {
    const { kinds, carrier, at, lines } = carrying(options)
    assert.deepEqual([kinds, lines, carrier.read(at, 0)], [[{ isPlain }], ['=value'], 'of the cookie'])
    assert.equal(isStored(resolveConfig(options)), isInStore)
  })
}

test('externalKey carries the id of a stored session, and nothing else is asked', () => {
  for (const options of [{ store }, { ContextStore }]) {
    const { kinds, carrier, at, lines } = carrying({ ...options, externalKey })
    assert.deepEqual([kinds, lines, carrier.read(at, 0)], [[], [], 'of the header'])
    assert.equal(carrier.usesCookies, false)
  }
})

test('with seal a session and an id are sealed, each for its own purpose', () => {
  for (const [options, purpose, other] of [
    [{}, 'session', 'id'],
    [{ store }, 'id', 'session'],
    [{ ContextStore }, 'id', 'session'],
  ] as const) {
    const { carrier, lines } = carrying({ ...options, seal: true, key: 's' })
    const sealed = lines[0]?.slice(1) ?? ''
    const openedFor = (what: string) => open(sealed, createKeyrings()(SECRETS), sealContext(what, 's'))
    assert.deepEqual(openedFor(purpose), { text: 'value', position: 0 })
    assert.equal(openedFor(other).fault, 'signature')
    assert.equal(carrier.usesCookies, true)
  }
})
