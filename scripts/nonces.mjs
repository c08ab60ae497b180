/*
 * Seals ten million values and looks for a nonce that was used twice. It exists because GCM has no second line of
 * defence: two values sealed by one secret with one nonce give away both, and the key that authenticates. Among so
 * many random nonces of 96 bits two are equal with a probability of 6e-16, so that a repetition is a fault: bytes of
 * the pool that were handed out twice, or overwritten before they were used.
 *
 * What is called is `seal` itself, of the source, with its own source of chance; each nonce is read from the value
 * that it gave. Beside it ids take bytes from the same pool, at irregular intervals, as in an application. The nonces
 * lie in one typed array, 12 bytes each, and a table of their numbers, hashed by their own first bytes, finds equal
 * ones: 190 MB for ten million.
 */
import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import { register } from 'tsx/esm/api'

const { values } = parseArgs({ options: { seals: { type: 'string', default: '10000000' } } })
const seals = Number(values.seals)
if (!(Number.isSafeInteger(seals) && seals > 0 && seals < 2 ** 31)) throw new Error('--seals takes a positive number')

// For all of them together: with a loader each, `seal` and `uuid` would not share a pool.
register()
const codec = file => import(`../src/codec/${file}.ts`)
const [{ seal, sealContext }, { createKeyrings }, { uuid }] = await Promise.all(
  ['sealed', 'keyring', 'random'].map(codec),
)

/** A nonce is three words, behind version and hint: it is within the first 24 characters of a sealed value. */
const WORDS = 3
const NONCE_AT = 5
const PREFIX = 24

const keyring = createKeyrings()([randomBytes(32)])
const context = sealContext('session', 'koa.sess')
const prefix = Buffer.alloc((PREFIX * 3) / 4)
const nonces = new Uint32Array(seals * WORDS)
/** The number of a nonce, from 1; at least a third of the places stay empty. */
const table = new Uint32Array(2 ** Math.ceil(Math.log2(seals * 1.5)))

function nonceOf(sealed, number) {
  prefix.write(sealed.slice(0, PREFIX), 'base64url')
  for (let word = 0; word < WORDS; word++) {
    nonces[(number - 1) * WORDS + word] = prefix.readUInt32BE(NONCE_AT + word * 4)
  }
}

const isSame = (one, other) =>
  [0, 1, 2].every(word => nonces[(one - 1) * WORDS + word] === nonces[(other - 1) * WORDS + word])

/** Puts the nonce `number` into the table. Gives the number of an equal one that is there, or 0. */
function add(number) {
  const mask = table.length - 1
  let place = nonces[(number - 1) * WORDS] & mask
  while (table[place] !== 0) {
    if (isSame(table[place], number)) return table[place]
    place = (place + 1) & mask
  }
  table[place] = number
  return 0
}

function repetition() {
  for (let number = 1; number <= seals; number++) {
    if (number % 7 < 2) uuid()
    nonceOf(seal('{}', keyring, context), number)
    const earlier = add(number)
    if (earlier > 0) return `the nonce of seal ${number} is that of seal ${earlier}`
  }
  return undefined
}

const begin = performance.now()
const found = repetition()
const seconds = ((performance.now() - begin) / 1000).toFixed(0)
console.log(`nonces: ${found ?? `${seals.toLocaleString('en-US')} seals, no nonce twice`}, in ${seconds} s`)
if (found) process.exitCode = 1
