import assert from 'node:assert/strict'
import test from 'node:test'
import { KNOWN } from '../src/config.ts'
import { unknownOptions } from '../src/option-names.ts'

const ROWS: ReadonlyArray<readonly [name: string, advice: RegExp | undefined]> = [
  ['httponly', /^use the option httpOnly$/],
  ['samesite', /^use the option sameSite$/],
  ['SameSite', /^use the option sameSite$/],
  ['Secure', /^use the option secure$/],
  ['absoluteTimeOut', /^use the option absoluteTimeout$/],
  ['maxAgee', /^use the option maxAge$/],
  ['sealed', /^use the option seal$/],
  ['sign', /^use the option signed$/],
  ['storeTimout', /^use the option storeTimeout$/],
  ['rollling', /^use the option rolling$/],
  ['keyy', /^use the option key$/],
  ['secret', /app\.keys/],
  ['password', /app\.keys.* seal /],
  ['resave', /^remove it/],
  ['saveUninitialized', /^remove it/],
  ['cookie', /options of session\(\)/],
  ['cookieOptions', /options of session\(\)/],
  ['cookieName', /^use the option key$/],
  ['encrypt', undefined],
  ['logValue', undefined],
  ['a', undefined],
  ['foo', undefined],
  ['constructor', undefined],
  ['', undefined],
]

for (const [name, advice] of ROWS) {
  test(`the option ${JSON.stringify(name)} ${advice ? 'has advice' : 'is one that nobody can tell of'}`, () => {
    const [unknown, ...more] = unknownOptions([name], KNOWN)
    assert.equal(unknown?.name, name)
    assert.match(String(unknown?.advice), advice ?? /^undefined$/)
    assert.deepEqual(more, [])
  })
}

test('options that are ours, and those of Koa’s cookies, are known', () => {
  assert.deepEqual(unknownOptions([...KNOWN, 'expires', 'secureProxy'], KNOWN), [])
})
