import { isExpired } from '../session/lifetime.ts'
import { type Content, contentOf, type Description, describe } from './content.ts'
import { LARGEST_COOKIE, presentedIn, type Size } from './cookies.ts'
import { type Proof, type ProofOptions, type Protection, prove } from './proof.ts'

export interface InspectOptions extends ProofOptions {
  /** The instant at which the cookie is presented, in milliseconds since the epoch. */
  readonly now: number
  /** Whether the report has the values of the data, and the id. */
  readonly show: boolean
}

/**
 * Why a cookie would not be accepted, in the words of the event `session:refused`, but for these: `missing`, the cookie
 * or a piece of it is not there; `size`, it has more than 4096 bytes; `secrets`, it can't be told without any.
 */
export type Reason = 'missing' | 'size' | 'signature' | 'undecodable' | 'expired' | 'secrets'

/** What is found about a cookie: plain data, without secrets, and without anything of the session's data but sizes. */
export interface Report extends Partial<Description> {
  /** The cookie's name. */
  readonly key: string
  /** Whether a middleware that writes such cookies would take it up; `unknown` for want of secrets. */
  readonly verdict: 'accepted' | 'refused' | 'unknown'
  /** Why it is not accepted. */
  readonly reason?: Reason
  readonly protection?: Protection
  /** The whole session is in the cookie, or in a store under the id that the cookie carries. */
  readonly mode?: Content['mode']
  /** The position of the secret that signed or sealed it, 0 for the newest; without one, nothing is verified. */
  readonly secret?: number
  /** The number of secrets that there are. */
  readonly secretCount: number
  /** The cookies that carry it, which are several where it is in chunks. */
  readonly cookies: readonly Size[]
  /** The number of cookies that should carry it. */
  readonly pieces: number
  /** The size up to which a cookie counts, in bytes. */
  readonly limit: number
  /** The number of further cookies of the same name, which nobody reads. */
  readonly ignored: number
  /** Only where it is to be shown. */
  readonly id?: string
}

/**
 * Verifies, opens and explains the session cookie in `text`: a Cookie header, lines of Set-Cookie, or a value alone.
 * Whatever the text is, the result is a report, and never an exception.
 */
export function inspect(text: string, options: InspectOptions): Report {
  const { key, secrets } = options
  const { value, ...presented } = presentedIn(text, key)
  const { cookies, pieces, ignored } = presented
  const found = { cookies, pieces, limit: LARGEST_COOKIE, ignored, secretCount: secrets.length }
  if (value === undefined) return { key, verdict: 'refused', reason: 'missing', ...found }
  const proof = prove({ ...presented, value }, options)
  const content = contentOf(value, proof)
  const isTooLarge = cookies.some(({ bytes }) => bytes > LARGEST_COOKIE)
  const reason = isTooLarge ? 'size' : (proof.fault ?? faultOf(content, options.now))
  return {
    key,
    ...verdictFor(reason),
    protection: proof.protection,
    ...secretOf(proof),
    ...(content && explained(content, options)),
    ...found,
  }
}

function verdictFor(reason: Reason | undefined): Pick<Report, 'verdict' | 'reason'> {
  if (!reason) return { verdict: 'accepted' }
  return { verdict: reason === 'secrets' ? 'unknown' : 'refused', reason }
}

function secretOf({ secret }: Proof): Pick<Report, 'secret'> {
  return secret === undefined ? {} : { secret }
}

function faultOf(content: Content | undefined, now: number): Reason | undefined {
  if (content?.mode === 'stored') return content.id === '' ? 'undecodable' : undefined
  if (!content?.payload) return 'undecodable'
  return isExpired(content.payload, now) ? 'expired' : undefined
}

function explained(content: Content, { show }: InspectOptions): Partial<Report> {
  const { mode } = content
  if (mode === 'stored') return show ? { mode, id: content.id } : { mode }
  return content.payload ? { mode, ...describe(content.payload, show) } : { mode }
}
