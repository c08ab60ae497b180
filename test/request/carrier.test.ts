/** The value where the option `externalKey` puts it. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { cookieCarrier, externalCarrier } from '../../src/request/carrier.ts'
import type { Cookie, JarAccess } from '../../src/request/jar.ts'

const AT = { ctx: { is: 'the context' } } as unknown as JarAccess

function open(id?: unknown) {
  const told: unknown[] = []
  const get = (ctx: unknown) => (ctx === AT.ctx ? id : assert.fail())
  const set = (ctx: unknown, value: string) => void told.push(ctx === AT.ctx && value)
  const clear = (ctx: unknown) => void told.push(ctx === AT.ctx && 'cleared')
  return { told, get, set, clear, carrier: externalCarrier({ get, set, clear }) }
}

test('an id is read once; nothing and an empty text are none', () => {
  assert.equal(open('A').carrier.read(AT, 0), 'A')
  assert.equal(open('A').carrier.read(AT, 1), undefined)
  for (const nothing of [undefined, null, '']) assert.equal(open(nothing).carrier.read(AT, 0), undefined)
})

test('what is no id is an error that names its kind', () => {
  assert.throws(() => open(7).carrier.read(AT, 0), {
    code: 'ERR_SESSION_ID',
    message: 'externalKey.get returned a number, expected a string or nothing',
  })
})

test('an id is set and cleared, without cookies', () => {
  const { carrier, told, get, set } = open()
  assert.deepEqual([carrier.write(AT, 'A', []), carrier.clear(AT, []), carrier.check(AT, 'A')], [[], [], undefined])
  assert.deepEqual([told, carrier.usesCookies], [['A', 'cleared'], false])
  assert.deepEqual(externalCarrier({ get, set }).clear(AT, []), [])
})

test('a promise is refused, with the name of the function', () => {
  const later = async () => {}
  const carrier = externalCarrier({ get: later, set: later, clear: later })
  for (const [name, work] of [
    ['get', () => carrier.read(AT, 0)],
    ['set', () => carrier.write(AT, 'A', [])],
    ['clear', () => carrier.clear(AT, [])],
  ] as const) {
    assert.throws(work, { code: 'ERR_SESSION_ASYNC', message: new RegExp(`^externalKey.${name} returned a promise`) })
  }
})

test('a cookie is asked for everything', () => {
  const told: unknown[] = []
  const say =
    (what: string) =>
    (at: JarAccess, ...given: unknown[]) => {
      told.push([what, at === AT, ...given])
      return what as never
    }
  const cookie: Cookie = {
    get: say('get'),
    isPresent: () => true,
    set: say('set'),
    clear: say('clear'),
    check: say('check'),
  }
  const carrier = cookieCarrier(cookie)
  const gave = [carrier.read(AT, 2), carrier.write(AT, 'A', ['x']), carrier.clear(AT, ['x'])]
  carrier.check(AT, 'A')
  assert.deepEqual([gave, carrier.usesCookies], [['get', 'set', 'clear'], true])
  assert.deepEqual(told, [
    ['get', true, 2],
    ['set', true, 'A', ['x']],
    ['clear', true, ['x']],
    ['check', true, 'A'],
  ])
})
