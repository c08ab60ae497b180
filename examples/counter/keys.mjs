// The secrets that sign the cookies: those in SESSION_KEYS, or one that is made here.
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

const FILE = '.session-keys'

// Comma separated: the first key signs, the others still verify, so that keys can be replaced. koa-session refuses an
// empty entry, by which anybody could sign.
const listOf = text => text.trim().split(',')

// Where sessions outlive the process, so must the secret: it is kept in a file, for whoever tries this out.
export function findKeys({ outliveProcess }) {
  if (process.env.SESSION_KEYS) return listOf(process.env.SESSION_KEYS)
  if (!outliveProcess) {
    console.log('SESSION_KEYS is not set: keys are random, so all sessions end with this process')
    return [newKey()]
  }
  console.log(`SESSION_KEYS is not set: the key in ${FILE} is used, which is made when there is none`)
  if (!existsSync(FILE)) writeFileSync(FILE, newKey(), { mode: 0o600 })
  return listOf(readFileSync(FILE, 'utf8'))
}

const newKey = () => randomBytes(32).toString('base64url')
