// Passwords at rest: a hash that is slow to make, with its own salt, and with the parameters that it was made with.
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const derive = promisify(scrypt)

// The first that OWASP's Password Storage Cheat Sheet names for scrypt. A hash takes 128 * N * r bytes of memory: 128 MiB.
const COST = { N: 2 ** 17, r: 8, p: 1 }
const BYTES = 32

export async function hashPassword(password, { N, r, p } = COST) {
  const salt = randomBytes(16)
  const hash = await hashOf(password, salt, { N, r, p })
  return ['scrypt', N, r, p, salt.toString('base64url'), hash.toString('base64url')].join('$')
}

export async function isPassword(password, stored) {
  const [, N, r, p, salt, hash] = stored.split('$')
  const made = await hashOf(password, Buffer.from(salt, 'base64url'), { N: Number(N), r: Number(r), p: Number(p) })
  return timingSafeEqual(made, Buffer.from(hash, 'base64url'))
}

// Normalized, because keyboards differ in how they write an "é". Node refuses more than 32 MiB, unless it is told.
const hashOf = (password, salt, { N, r, p }) =>
  derive(password.normalize('NFKC'), salt, BYTES, { N, r, p, maxmem: 256 * N * r })
