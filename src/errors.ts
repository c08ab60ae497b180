import { kindOf } from './value-kind.ts'

/**
 * The codes of `SessionError`. They are stable: match on `error.code`, not on the message.
 *
 * | code | meaning |
 * |---|---|
 * | `ERR_SESSION_OPTION` | an option, or a lifetime that was set at run time, is not what it has to be |
 * | `ERR_SESSION_VALUE` | `ctx.session` was set to a value that is not `null`, a plain object or one of your classes |
 * | `ERR_SESSION_DATA` | the data holds a Map, a Set, a BigInt, a promise or a cycle, or the store's is no JSON |
 * | `ERR_SESSION_SCHEMA` | the data to be saved does not pass the `schema` |
 * | `ERR_SESSION_TOO_LARGE` | the cookie would exceed the 4096 bytes that browsers keep (RFC 6265bis, 5.6), or a session what an item of its store takes |
 * | `ERR_SESSION_HEADERS_SENT` | `save()` of a new session or `regenerate()` after the headers have left |
 * | `ERR_SESSION_ASYNC` | an option gave a promise where none can be awaited |
 * | `ERR_SESSION_ENCODE` | `encode` gave something that is not a string |
 * | `ERR_SESSION_ID` | `genid` or `externalKey.get` gave something that can not be an id, or `genid` three that are taken |
 * | `ERR_SESSION_STORE` | the store failed (`cause`), or could not be read, so that the session can not be assigned to |
 * | `ERR_SESSION_TIMEOUT` | the store did not answer within `storeTimeout`; what was asked may still be done |
 * | `ERR_SESSION_CONFLICT` | `update()` was tried a hundred times, and others saved the session each time |
 * | `ERR_SESSION_NOT_LOADED` | with the option `lazy`, the session was read before `load(ctx)` of the middleware was awaited |
 * | `ERR_SESSION_LIMIT` | the user has as many sessions as `maxSessions` allows: nobody was signed in |
 * | `ERR_SESSION_SKIPPED` | the session was used on a request that the `skip` option leaves out |
 * | `ERR_SESSION_KEYS` | `app.keys`, `keys` or `seal` of a store is no list of secrets, or has one that can be guessed and is to seal |
 * | `ERR_SESSION_INSECURE` | a `secure` cookie was to be sent over a connection that is not encrypted |
 */
export type SessionErrorCode =
  | 'ERR_SESSION_OPTION'
  | 'ERR_SESSION_VALUE'
  | 'ERR_SESSION_DATA'
  | 'ERR_SESSION_SCHEMA'
  | 'ERR_SESSION_TOO_LARGE'
  | 'ERR_SESSION_HEADERS_SENT'
  | 'ERR_SESSION_ASYNC'
  | 'ERR_SESSION_ENCODE'
  | 'ERR_SESSION_ID'
  | 'ERR_SESSION_STORE'
  | 'ERR_SESSION_TIMEOUT'
  | 'ERR_SESSION_CONFLICT'
  | 'ERR_SESSION_NOT_LOADED'
  | 'ERR_SESSION_LIMIT'
  | 'ERR_SESSION_SKIPPED'
  | 'ERR_SESSION_KEYS'
  | 'ERR_SESSION_INSECURE'

/** Why something failed. */
export interface Reason {
  readonly cause?: unknown
  /** Whether a text of the cause may not be shown, because it contains an id or data. */
  readonly isPrivate?: (text: string) => boolean
}

/** What the application or a server did wrong. What a client did is never an error, but a value or an event. */
export class SessionError extends Error {
  /** Always `SessionError`. */
  override readonly name = 'SessionError'
  /** Which kind of error it is. It is stable. */
  readonly code: SessionErrorCode

  /**
   * The message gets the message and the code of `cause` at its end. The property `cause` is a copy with name, message,
   * code and stack: a driver may keep the data of a session in other properties.
   */
  constructor(code: SessionErrorCode, message: string, { cause, isPrivate = () => false }: Reason = {}) {
    const isClean = cause instanceof SessionError && !isPrivate(cause.message)
    const told = cause === undefined || isClean ? undefined : toldBy(cause)
    const copy = told ? copyOf(told, isPrivate) : (cause as Coded | undefined)
    super(copy ? explained(message, copy, told) : message, copy && { cause: copy })
    this.code = code
  }
}

type Coded = Error & { readonly code?: unknown }

const WITHHELD = 'its message is not shown, because it may contain data of a session'

/** What an error says. */
interface Told {
  readonly name?: unknown
  readonly code?: unknown
  readonly stack: string
  readonly message: string
}

/** One that throws when it is read, or leads back to itself, says nothing. */
function toldBy(cause: unknown): Told {
  try {
    const { name, code, stack = '' }: Record<string, unknown> = Object(cause)
    return { name, code, stack: String(stack), message: messageOf(cause) }
  } catch {
    return { stack: '', message: WITHHELD }
  }
}

function copyOf({ name, code, stack, message: given }: Told, isPrivate: (text: string) => boolean): Coded {
  // JSON.parse quotes the text that it was given.
  const message = name === 'SyntaxError' || isPrivate(given) ? WITHHELD : given
  const copy = new Error(message)
  const isShown = (text: unknown): text is string => typeof text === 'string' && text !== '' && !isPrivate(text)
  const shownName = isShown(name) ? name : 'Error'
  // Without the message, which the stack repeats.
  const frames = stack.replace(given, '').match(/^ {4}at .*$/gm) ?? []
  if (shownName !== 'Error') Object.defineProperty(copy, 'name', { value: shownName })
  copy.stack = [`${shownName}: ${message}`, ...frames].join('\n')
  return isShown(code) || typeof code === 'number' ? Object.assign(copy, { code }) : copy
}

/** Where several addresses were tried, Node leaves the message empty, and each try has its own. */
function messageOf(cause: unknown): string {
  const { message, errors }: Record<string, unknown> = Object(cause)
  if (typeof cause === 'string') return cause
  if (typeof message === 'string' && message !== '') return message
  if (Array.isArray(errors) && errors.length > 0) return messageOf(errors[0])
  return cause instanceof Error ? '' : `it threw ${kindOf(cause)}`
}

/** `message`, why, and what to do where that is known. */
function explained(message: string, copy: Coded, told: Told | undefined): string {
  const why = copy.message === '' || message.includes(copy.message) ? '' : `: ${copy.message}`
  const code = copy.code === undefined || why.includes(String(copy.code)) ? '' : ` (${copy.code})`
  const isMissing = told && (NO_TABLE.test(told.message) || NO_TABLE_CODES.includes(copy.code))
  return `${message}${why}${code}${isMissing ? `; ${SETUP}` : ''}`
}

const NO_TABLE = /no such table|relation .+ does not exist|table .+ doesn't exist/i
const NO_TABLE_CODES: readonly unknown[] = ['42P01', 'ER_NO_SUCH_TABLE']
const SETUP = 'call `await store.setup()` when the application starts, which creates the table'

/** The error for an option: its name, what it was, what was expected. Shows of an object, and of a secret, no more than its kind. */
export function optionError(option: string, value: unknown, expected: string): SessionError {
  return new SessionError('ERR_SESSION_OPTION', `option ${option} was ${shown(option, value)}, expected ${expected}`)
}

/** Options in whose place a secret, or an address with a password, may be given by mistake. */
const HIDDEN: readonly string[] = ['keys', 'seal', 'store', 'ContextStore', 'externalKey', 'schema']

function shown(option: string, value: unknown): string {
  if (typeof value === 'string') return HIDDEN.includes(option) ? 'a string' : JSON.stringify(value)
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object'
  return typeof value === 'function' ? 'a function' : String(value)
}

/** A key of a session, for an error: a client may have chosen it, so that what is no name is escaped. */
export function memberName(key: string): string {
  return /^[\p{L}\p{N}_$-]+$/u.test(key) ? `session.${key}` : `session[${quoted(key)}]`
}

/** What a terminal obeys or does not show, and JSON does not escape. */
const OBEYED = /[\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g
/** `text` as JSON that is fit for a log. */
export const quoted = (text: string) => JSON.stringify(text).replace(OBEYED, encodeURIComponent)
