import assert from 'node:assert/strict'
import { createHash, createHmac, hkdfSync } from 'node:crypto'
import test from 'node:test'
import { hideSubject, openSubject, subjectKey } from '../../src/codec/subject.ts'

const digest = createHash('sha256').update('ada').digest('base64url')
const keys = ['a secret of 32 characters, or more', 'another one, that was used before'].map(subjectKey)
const [first = assert.fail(), second = assert.fail()] = keys

test('a subject at rest is an HMAC of its digest, and the digest under another one', () => {
  const bytes = Buffer.from(
    hkdfSync('sha256', 'a secret of 32 characters, or more', 'koa-session', 'koa-session subject 1 key', 64),
  )
  const hidden = Buffer.from(hideSubject(digest, first), 'base64url')
  const hmac = (key: Buffer, data: Buffer) => createHmac('sha256', key).update(data).digest()
  const tag = hmac(bytes.subarray(0, 32), Buffer.from(digest, 'base64url')).subarray(0, 16)
  assert.deepEqual(hidden.subarray(0, 16), tag)
  const mask = hmac(bytes.subarray(32), tag)
  const masked = Buffer.from(digest, 'base64url').map((byte, at) => byte ^ (mask[at] ?? 0))
  assert.deepEqual(hidden.subarray(16), masked)
})

test('it is the same each time, another one for another secret, and 64 characters', () => {
  assert.equal(hideSubject(digest, first), hideSubject(digest, first))
  assert.notEqual(hideSubject(digest, first), hideSubject(digest, second))
  assert.match(hideSubject(digest, first), /^[\w-]{64}$/)
})

test('what cannot be the digest of a subject stays as it is', () => {
  for (const text of ['', 'ada', digest.slice(1), hideSubject(digest, first)])
    assert.equal(hideSubject(text, first), text)
})

test('it opens by the secret that hid it, whose place is told, and by no other', () => {
  assert.deepEqual(openSubject(hideSubject(digest, first), keys), { digest, position: 0 })
  assert.deepEqual(openSubject(hideSubject(digest, second), keys), { digest, position: 1 })
  assert.equal(openSubject(hideSubject(digest, second), [first]), undefined)
})

test('what was altered does not open', () => {
  const hidden = hideSubject(digest, first)
  const bytes = Buffer.from(hidden, 'base64url')
  for (let at = 0; at < bytes.length; at++) {
    const altered = Buffer.from(bytes)
    altered[at] = (altered[at] ?? 0) ^ 1
    assert.equal(openSubject(altered.toString('base64url'), keys), undefined, `byte ${at}`)
  }
  for (const text of ['', digest, hidden.slice(1), `${hidden}A`, `${hidden.slice(0, 63)}=`]) {
    assert.equal(openSubject(text, keys), undefined, text)
  }
})
