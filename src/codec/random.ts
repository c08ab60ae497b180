import { randomFillSync } from 'node:crypto'

/** To ask the system for a few bytes costs as much as for thousands. */
const pool = Buffer.allocUnsafeSlow(4096)
let used = pool.length

/** Gives `size` random bytes, never the same again, which are used before the next call; `randomBytes` is one. */
export type RandomSource = (size: number) => Uint8Array

/**
 * The default. It takes bytes ahead: whoever resumes copies of a running process, as snapshots of virtual machines do,
 * passes `randomBytes` instead.
 */
export const pooled: RandomSource = size => {
  const at = take(size)
  return pool.subarray(at, at + size)
}

/** Where so many bytes of the pool begin that nobody has had. */
function take(size: number): number {
  if (used + size > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += size
  return used - size
}

const DIGITS = Buffer.from('0123456789abcdef')
/** Where the two digits of each byte of a UUID stand in its text. */
const PLACES = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34]
const text = Buffer.from('00000000-0000-0000-0000-000000000000')

/**
 * A random UUID, version 4 (RFC 9562, 5.4): 122 random bits. That of node:crypto is a string of twenty pieces, and to
 * look it up in a Map, or to hash it, costs several times what it takes to write one that is whole.
 */
export function uuid(): string {
  const at = take(16)
  pool[at + 6] = ((pool[at + 6] as number) & 0x0f) | 0x40
  pool[at + 8] = ((pool[at + 8] as number) & 0x3f) | 0x80
  for (let i = 0; i < 16; i++) {
    const byte = pool[at + i] as number
    const place = PLACES[i] as number
    text[place] = DIGITS[byte >> 4] as number
    text[place + 1] = DIGITS[byte & 15] as number
  }
  return text.toString('latin1')
}
