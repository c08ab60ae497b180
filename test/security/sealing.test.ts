/* Secrets, signatures and seals: what is compared how, what is bound to what, and what is never tried. */

import assert from 'node:assert/strict'
import nodeCrypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import test, { type TestContext as Test } from 'node:test'
import type { CreateSessionOptions } from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { createKeyrings } from '../../src/codec/keyring.ts'
import { seal, sealContext } from '../../src/codec/sealed.ts'
import { codesOf } from '../support/errors.ts'
import { appOf, ask, bytesOf, cookiesFrom, headerOf, KEY, moved, SECRETS, serve, told } from '../support/story.ts'

type Call = 'timingSafeEqual' | 'createHmac' | 'createDecipheriv' | 'hkdfSync'

/** How often `name` of node:crypto is called from now on, by whoever imported it. */
function counting(t: Test, name: Call): () => number {
  const { mock } = t.mock.method(nodeCrypto, name)
  syncBuiltinESMExports()
  t.after(() => {
    mock.restore()
    syncBuiltinESMExports()
  })
  return () => mock.callCount()
}

// A test can't time it: what a comparison that stops early saves is far below what a request varies by. So it is told by
// what is called, and by the answer, which is the same wherever the first difference stands.
test('signatures are compared in constant time (GHSA-92vm-wfm5-mxvv, CVE-2009-3086): by timingSafeEqual', async t => {
  const { app, reasons } = appOf({})
  const jar = cookiesFrom((await ask(app, '/in', '')).lines)
  const genuine = String(jar.get(`${KEY}.sig`))
  const calls = counting(t, 'timingSafeEqual')
  assert.equal((await ask(app, '/', headerOf(jar))).text, 'ada')
  assert.equal(calls(), 1)
  for (let at = 0; at < genuine.length; at++) {
    const before = calls()
    const other = genuine[at] === 'A' ? 'B' : 'A'
    jar.set(`${KEY}.sig`, genuine.slice(0, at) + other + genuine.slice(at + 1))
    assert.equal((await ask(app, '/', headerOf(jar))).text, 'nobody')
    assert.ok(calls() > before, 'whatever the place of the difference')
  }
  await told()
  assert.deepEqual(new Set(reasons()), new Set(['signature']))
  assert.equal(reasons().length, 27)
})

test('tags are compared in constant time: by node:crypto, which is given all 16 bytes of one', async t => {
  const { app } = appOf({ seal: true })
  const jar = cookiesFrom((await ask(app, '/in', '')).lines)
  const value = bytesOf(jar.get(KEY))
  const calls = counting(t, 'createDecipheriv')
  for (let at = value.length - 16; at < value.length; at++) {
    const forged = Buffer.from(value)
    forged[at] = (forged[at] ?? 0) ^ 1
    assert.equal((await ask(app, '/', `${KEY}=${forged.toString('base64url')}`)).text, 'nobody')
  }
  assert.equal(calls(), 16)
})

const ACCEPTING = { seal: { acceptSigned: true } }
const stores: Readonly<Record<string, CreateSessionOptions>> = {
  'the session': {},
  'the id of a stored one': { store: memoryStore() },
}

for (const [what, options] of Object.entries(stores)) {
  test(`a failed decryption refuses; it never falls back to a weaker decoder (CVE-2026-39324): ${what}`, async t => {
    const signed = appOf(options)
    const old = cookiesFrom((await ask(signed.app, '/in', '')).lines)
    const { app, reasons } = appOf({ ...options, ...ACCEPTING })
    assert.equal((await ask(app, '/', headerOf(old))).text, 'ada', 'asked for, and genuine')
    const sealed = bytesOf(cookiesFrom((await ask(app, '/in', '')).lines).get(KEY))
    const hmac = counting(t, 'createHmac')
    // A bit of the hint, of the nonce, of the text and of the tag; each beside a signature that was valid, and one of it.
    for (const at of [1, 5, 17, sealed.length - 1]) {
      const flipped = Buffer.from(sealed)
      flipped[at] = (flipped[at] ?? 0) ^ 1
      const value = flipped.toString('base64url')
      const signature = nodeCrypto.createHmac('sha1', SECRETS[0] ?? '').update(`${KEY}=${value}`)
      const before = hmac()
      for (const beside of [String(old.get(`${KEY}.sig`)), signature.digest('base64url')]) {
        const { status, text } = await ask(app, '/', `${KEY}=${value}; ${KEY}.sig=${beside}`)
        assert.deepEqual({ status, text }, { status: 200, text: 'nobody' })
      }
      assert.equal(hmac(), before, 'no signature is looked at')
    }
    await told()
    assert.deepEqual(reasons(), Array(8).fill('signature'))
  })

  test(`a signed cookie is no sealed one (CVE-2026-39324): ${what} is not read unless that was asked for`, async () => {
    const old = cookiesFrom((await ask(appOf(options).app, '/in', '')).lines)
    const { app, reasons } = appOf({ ...options, seal: true })
    assert.equal((await ask(app, '/', headerOf(old))).text, 'nobody')
    await told()
    assert.deepEqual(reasons(), ['undecodable'])
  })

  test(`the algorithm is fixed: ${what} in clear, or of another version, is refused`, async () => {
    const { app } = appOf({ ...options, ...ACCEPTING })
    const jar = cookiesFrom((await ask(app, '/in', '')).lines)
    const sealed = bytesOf(jar.get(KEY))
    for (const version of [0, 2, 255]) {
      sealed[0] = version
      assert.equal((await ask(app, '/', `${KEY}=${sealed.toString('base64url')}`)).text, 'nobody')
    }
    for (const clear of ['{"user":"ada"}', Buffer.from('{"user":"ada"}').toString('base64')]) {
      assert.equal((await ask(app, '/', `${KEY}=${clear}`)).text, 'nobody')
    }
  })
}

test('purpose is bound into the tag (CVE-2023-48309): a sealed session is no sealed id, and the other way round', async () => {
  const store = memoryStore()
  const whole = appOf({ seal: true })
  const stored = appOf({ seal: true, store })
  const session = headerOf(cookiesFrom((await ask(whole.app, '/in', '')).lines))
  const id = headerOf(cookiesFrom((await ask(stored.app, '/in', '')).lines))
  assert.equal((await ask(whole.app, '/', session)).text, 'ada')
  assert.equal((await ask(stored.app, '/', id)).text, 'ada')
  assert.equal((await ask(whole.app, '/', id)).text, 'nobody')
  assert.equal((await ask(stored.app, '/', session)).text, 'nobody')
  await told()
  assert.deepEqual([...whole.reasons(), ...stored.reasons()], ['signature', 'signature'])
})

test('purpose is bound into the tag: what was sealed with the same secret for something else is no session', async () => {
  const { app } = appOf({ seal: true })
  const keyring = createKeyrings()(SECRETS)
  const text = JSON.stringify({ user: 'ada' })
  const sealedFor = (purpose: string, name = KEY) => `${KEY}=${seal(text, keyring, sealContext(purpose, name))}`
  for (const purpose of ['id', 'state', 'pkce', 'csrf', '']) {
    assert.equal((await ask(app, '/', sealedFor(purpose))).text, 'nobody', purpose)
  }
  assert.equal((await ask(app, '/', sealedFor('session', 'state'))).text, 'nobody')
  assert.equal((await ask(app, '/', sealedFor('session'))).text, 'ada', 'for this')
})

test('a signed session presented as the id of a stored one, and the other way round, is nobody’s', async t => {
  const store = memoryStore()
  const [whole, stored] = [await serve(t, () => ({})), await serve(t, () => ({ store }))]
  await whole.visitor.get('/in')
  await stored.visitor.get('/in')
  assert.equal((await (await moved(t, whole.visitor, stored.app)).get('/')).text, 'nobody')
  assert.equal((await (await moved(t, stored.visitor, whole.app)).get('/')).text, 'nobody')
})

const WEAK: ReadonlyArray<readonly [why: string, secret: string | Uint8Array]> = [
  ['a tutorial’s (CVE-2023-27524)', 'keyboard cat'],
  ['Superset’s (CVE-2023-27524)', 'CHANGE_ME_TO_A_COMPLEX_RANDOM_SECRET'],
  ['a name in lower case (CVE-2019-5420)', 'myapp'],
  ['short', 'fifteen bytes..'],
  ['short bytes', Buffer.alloc(8, 'ab')],
  ['a repetition', 'abcabcabcabcabcabcabc'],
]

for (const [why, secret] of WEAK) {
  test(`secrets that are short or well known are refused when sealing: at start-up, by how to make a good one: ${why}`, () => {
    const error = {
      code: 'ERR_SESSION_KEYS',
      message: /^(app\.|option )keys\[[01]\] is .*`npx koa-session keygen` makes a secret$/,
    }
    assert.throws(() => appOf({ seal: true }, {}, [secret]), error)
    assert.throws(() => appOf({ seal: true }, {}, [SECRETS[0], secret]), error)
    assert.throws(() => appOf({ seal: true, keys: [secret] }), error)
  })

  test(`secrets that are short or well known are refused on first use, and after a rotation at run time: ${why}`, async () => {
    const { app, errors } = appOf({ seal: true }, {}, [])
    app.keys = [secret]
    assert.equal((await ask(app, '/in', '')).status, 500)
    const keys = [...SECRETS]
    app.keys = keys
    const jar = cookiesFrom((await ask(app, '/in', '')).lines)
    assert.equal((await ask(app, '/', headerOf(jar))).text, 'ada')
    keys.unshift(secret as string)
    for (const page of ['/', '/in', '/']) assert.equal((await ask(app, page, headerOf(jar))).status, 500)
    assert.equal((await ask(app, '/untouched', headerOf(jar))).status, 200)
    keys.shift()
    assert.equal((await ask(app, '/', headerOf(jar))).text, 'ada')
    assert.deepEqual(new Set(codesOf(errors)), new Set(['ERR_SESSION_KEYS']))
    for (const { message } of errors) assert.ok(!message.includes(String(secret)))
  })
}

test('a secret is not shown by the error that refuses it, not even one that is no list', () => {
  for (const keys of [SECRETS[0], [`${SECRETS[0]}`, 1], { 0: SECRETS[0] }]) {
    const isQuiet = ({ message }: Error) => !message.includes(String(SECRETS[0]))
    assert.throws(() => appOf({ seal: true, keys: keys as never }), isQuiet)
  }
})

test('plain signing with a weak secret raises one process warning, when the application starts', async t => {
  const warnings: { code?: string; message: string }[] = []
  const note = (warning: Error) => warnings.push(warning)
  process.on('warning', note)
  t.after(() => process.off('warning', note))
  for (let times = 0; times < 2; times++) appOf({}, {}, [SECRETS[0], 'keyboard cat 2026'])
  await told()
  const found = warnings.filter(({ code }) => code?.startsWith('KOA_SESSION'))
  assert.deepEqual(codesOf(found), ['KOA_SESSION_WEAK_SECRET'])
  assert.match(found[0]?.message ?? '', /^app\.keys\[1\] is made of well-known words, so that others can sign sessions/)
})
