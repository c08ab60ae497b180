/**
 * A value too large for one cookie (RFC 6265bis, 5.6: browsers keep 4096 bytes of name and value) in several that are
 * numbered from 0. What fits is one piece, the value itself. Otherwise the first piece begins with the number of pieces
 * and `~`, which base64url does not have:
 *
 *     3~AbCd…   EfGh…   IjKl
 *
 * So a piece that an older, larger value left behind is not read, and one that is missing is noticed. That the pieces
 * belong together and stand in their order is for the seal to tell, which the joined value has to open with.
 */
const MARK = '~'
/** The number is one digit. */
const HEAD_LENGTH = 2
const MOST_PIECES = 9

/** What a value may take. */
export interface ChunkLimits {
  /** The length of a piece in characters, which are bytes in base64url; the name of its cookie is not included. */
  readonly limit: number
  /** The number of pieces, 1 to 9; more count as 9. */
  readonly max: number
}

/** The pieces of `value`, which is base64url: as few as can be, none empty. `undefined` when it does not fit. */
export function split(value: string, { limit, max }: ChunkLimits): string[] | undefined {
  if (value.length <= limit) return [value]
  const count = Math.ceil((value.length + HEAD_LENGTH) / limit)
  if (!(limit > HEAD_LENGTH && count <= Math.min(max, MOST_PIECES))) return undefined
  const whole = `${count}${MARK}${value}`
  return Array.from({ length: count }, (_, at) => whole.slice(at * limit, (at + 1) * limit))
}

/**
 * The value whose first piece is `first`. `nth` gives the others, by their number from 1; it is asked for those that the
 * first one announces, in order, and for none when they are more than `max`. `undefined` when one is missing or empty,
 * or when the number of pieces is none that `split` writes.
 */
export function join(first: string, nth: (number: number) => string | undefined, max: number): string | undefined {
  if (first[1] !== MARK) return first
  const count = /^[2-9]/.test(first) ? Number(first[0]) : Number.NaN
  if (!(count <= max)) return undefined
  let value = first.slice(HEAD_LENGTH)
  for (let number = 1; number < count; number++) {
    const piece = nth(number)
    if (!piece) return undefined
    value += piece
  }
  return value
}
