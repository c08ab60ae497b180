// The table of users, which is a Map here. In a database, each function is a query.
import { randomBytes } from 'node:crypto'
import { hashPassword, isPassword } from './passwords.mjs'

// `cost`: the parameters of scrypt, for tests that have no time.
export async function createUsers(cost) {
  const hashes = new Map()
  // What a password is compared with where nobody has the name, so that the answer takes as long.
  const noHash = await hashPassword(randomBytes(32).toString('base64url'), cost)
  return {
    async setPassword(name, password) {
      hashes.set(name, await hashPassword(password, cost))
    },
    // The name and the hash that the password was compared with; `undefined` if it is not the password, or nobody has the name.
    async verify(name, password) {
      const hash = hashes.get(name)
      const isRight = await isPassword(password, hash ?? noHash)
      return hash !== undefined && isRight ? { name, hash } : undefined
    },
    hasHash: (name, hash) => hashes.get(name) === hash,
  }
}
