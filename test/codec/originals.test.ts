/** Which functions are those of Koa and of its packages, by their source. */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import test from 'node:test'
import Keygrip from 'keygrip'
import Koa from 'koa'
import { isOriginal } from '../../src/codec/originals.ts'

const Cookies = createRequire(createRequire(import.meta.url).resolve('koa'))('cookies')
const keys = new Keygrip(['a'])
const ORIGINALS = {
  cookies: Object.getOwnPropertyDescriptor(Object.getPrototypeOf(new Koa().context), 'cookies')?.get,
  get: Cookies.prototype.get,
  set: Cookies.prototype.set,
  sign: keys.sign,
  index: keys.index,
} as const
const NAMES = Object.keys(ORIGINALS) as (keyof typeof ORIGINALS)[]

test('each is original under its own name alone, also when it is asked again', () => {
  for (const name of [...NAMES, ...NAMES]) {
    const names = NAMES.filter(other => isOriginal(other, ORIGINALS[name]))
    assert.deepEqual({ name, names }, { name, names: [name] })
  }
})

test('another function of the same source is original, and another source is not', () => {
  assert.ok(isOriginal('sign', new Keygrip(['b']).sign))
  const wrapped = (text: string) => keys.sign(text)
  for (const value of [wrapped, ORIGINALS.sign.bind(keys), undefined, null, '', {}, ORIGINALS.sign.toString()]) {
    assert.deepEqual(
      NAMES.map(name => isOriginal(name, value)),
      NAMES.map(() => false),
    )
  }
})

test('formatting does not count, and one other name in it does', () => {
  const source = ORIGINALS.sign.toString()
  const made = (text: string) => new Function(`return ${text}`)()
  assert.ok(isOriginal('sign', made(source.replace('{', '{\n\n  '))))
  assert.ok(!isOriginal('sign', made(source.replace('keys[0]', 'keys[1]'))))
})
