import type { KeyObject } from 'node:crypto'
import type { SealingKey } from './keyring.ts'
import { pooled } from './random.ts'
import { Ring, type Verified } from './ring.ts'
import { isEqual } from './signature.ts'

/** What verifies: a secret that signs, or the key of one that seals. Text and bytes count by their value. */
export type Verifier = string | Uint8Array | KeyObject | SealingKey

/** A value of a cookie that was verified before. */
export interface Remembered extends Verified {
  readonly hash: number
  /** What whoever reads it has made of it. `undefined`: nothing yet. */
  made: unknown
  /** The hash of what the same visitor had before. */
  former?: number | undefined
}

/** What one entry may take on average, in bytes; twice as much as one of 2 KB with all that is made of it. */
const LARGEST_AVERAGE = 32_768

let ring: Ring | undefined
let owners = 0

/**
 * The values of one cookie, of one middleware, that the newest secret has verified. What was seen once is in a ring that all
 * share (`ring.ts`); what is seen again is in two generations on the heap, of which the older one is dropped when the newer
 * one is half of what is allowed. Nothing but the whole value finds it: `body` is compared as any text, and `tag`, without
 * which nobody can present it, in constant time.
 */
export class Memory {
  readonly #limit: number
  readonly #ring: Ring | undefined
  readonly #hashOf: (text: string) => number
  #verifier: Verifier | undefined
  /** Another number for each secret: records of the one before are found no more. */
  #owner = 0
  #newer = new Map<number, Remembered>()
  #older = new Map<number, Remembered>()
  #size = 0

  /** `limit`: how many may be on the heap. */
  constructor(limit: number, own?: Ring, hashOf = sampledHash) {
    this.#limit = limit
    this.#ring = own
    this.#hashOf = hashOf
  }

  /** This, for what `verifier` verifies; empty where that was another one until now, also if it was changed in place. */
  for(verifier: Verifier): this {
    if (!isSame(this.#verifier, verifier)) {
      this.#verifier = verifier instanceof Uint8Array ? Buffer.from(verifier) : verifier
      owners = (owners + 1) | 0
      this.#owner = owners
      this.#newer = new Map()
      this.#older = new Map()
      this.#size = 0
    }
    return this
  }

  find(body: string, tag: string): Remembered | undefined {
    const hash = this.#hashOf(body)
    const newer = this.#newer.get(hash)
    const hot = newer ?? this.#older.get(hash)
    if (hot?.body === body) {
      if (!isEqual(hot.tag, tag)) return undefined
      if (!newer) this.#keep(hot)
      return hot
    }
    const seen = this.#sharedRing.find(this.#owner, hash, body, tag.length)
    return seen && isEqual(seen.tag, tag) ? this.#keep({ ...seen, hash, made: undefined }) : undefined
  }

  /**
   * Has what was verified, or was signed or sealed here, with what it was `made` of. What the same visitor had before,
   * `former`, may come in parallel requests; what they had before that is not expected any more, so that one who comes often
   * does not take the place of others.
   */
  add(verified: Verified, made?: unknown, former?: Remembered): void {
    const { body, tag, text } = verified
    if (former?.body === body && former.tag === tag) return
    const hash = this.#hashOf(body)
    if (made === undefined) {
      this.#sharedRing.add(this.#owner, hash, verified)
      return
    }
    // Where another one has the same hash, that is verified once more.
    if (former?.former !== undefined) this.#newer.delete(former.former)
    this.#keep({ body, tag, text, hash, made, former: former?.hash })
  }

  get #sharedRing(): Ring {
    ring ??= new Ring()
    return this.#ring ?? ring
  }

  #keep(one: Remembered): Remembered {
    this.#newer.set(one.hash, one)
    // What is made of a text takes several times as much.
    this.#size += 1024 + 8 * one.body.length
    if (this.#newer.size * 2 >= this.#limit || this.#size * 2 > this.#limit * LARGEST_AVERAGE) {
      this.#older = this.#newer
      this.#newer = new Map()
      this.#size = 0
    }
    return one
  }
}

function isSame(known: Verifier | undefined, verifier: Verifier): boolean {
  if (known instanceof Uint8Array && verifier instanceof Uint8Array) return Buffer.compare(known, verifier) === 0
  return known === verifier
}

let drawn: number | undefined

/** Drawn once, with the first value: nobody outside can tell which values have the same hash. */
function seed(): number {
  drawn ??= Buffer.from(pooled(4)).readInt32LE()
  return drawn
}

/** Of long texts, so many characters at the end, where a signed session has its lifetime, and a quarter as many before. */
const SAMPLED = 64

/** A hash of 30 bits: a Map has such numbers without allocating. */
function sampledHash(text: string): number {
  const { length } = text
  const tail = Math.max(length - SAMPLED, 0)
  const step = Math.max(tail >> 4, 1)
  let hash = seed() ^ length
  for (let at = 0; at < tail; at += step) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  for (let at = tail; at < length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  // The last bits are those of the last characters alone.
  return (hash ^ (hash >>> 15)) & 0x3fffffff
}
