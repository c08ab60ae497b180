// The secrets that sign the cookies: those in SESSION_KEYS, or one that is made here.
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

const FILE = '.session-keys'

// Comma separated: the first key signs, the others still verify, which lets keys be changed in passing.
const listOf = text => text.trim().split(',').filter(Boolean)

// Where sessions outlive the process, so must the secret: it is kept in a file, for whoever tries this out.
export function findKeys({ outliveProcess }) {
  const given = listOf(process.env.SESSION_KEYS ?? '')
  if (given.length > 0) return given
  if (!outliveProcess) {
    console.log('SESSION_KEYS is not set: keys are random, so all sessions end with this process')
    return [newKey()]
  }
  console.log(`SESSION_KEYS is not set: the key in ${FILE} is used, which is made when there is none`)
  if (!existsSync(FILE)) writeFileSync(FILE, newKey(), { mode: 0o600 })
  return listOf(readFileSync(FILE, 'utf8'))
}

const newKey = () => randomBytes(32).toString('base64url')
