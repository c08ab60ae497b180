/**
 * The codes of `SessionError`. They are stable: match on `error.code`, not on the message.
 *
 * | code | meaning |
 * |---|---|
 * | `ERR_SESSION_OPTION` | an option, or a lifetime that was set at run time, is not what it has to be |
 * | `ERR_SESSION_VALUE` | `ctx.session` was set to a value that is not `null`, a plain object or one of your classes |
 * | `ERR_SESSION_DATA` | the data holds a Map, a Set, a BigInt, a promise or a cycle, or the store's is no JSON |
 * | `ERR_SESSION_SCHEMA` | the data to be saved does not pass the `schema` |
 * | `ERR_SESSION_TOO_LARGE` | the cookie would exceed the 4096 bytes that browsers keep (RFC 6265bis, 5.6) |
 * | `ERR_SESSION_HEADERS_SENT` | `save()` of a new session or `regenerate()` after the headers have left |
 * | `ERR_SESSION_ASYNC` | an option gave a promise where none can be awaited |
 * | `ERR_SESSION_ENCODE` | `encode` gave something that is not a string |
 * | `ERR_SESSION_ID` | `genid` or `externalKey.get` gave something that can not be an id, or `genid` three that are taken |
 * | `ERR_SESSION_STORE` | the store failed (`cause`), or could not be read, so that the session can not be assigned to |
 * | `ERR_SESSION_TIMEOUT` | the store did not answer within `storeTimeout`; what was asked may still be done |
 * | `ERR_SESSION_CONFLICT` | `update()` gave up: others saved the session each time |
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
  | 'ERR_SESSION_SKIPPED'
  | 'ERR_SESSION_KEYS'
  | 'ERR_SESSION_INSECURE'

/** What the application or a server did wrong. What a client did is never an error, but a value or an event. */
export class SessionError extends Error {
  override readonly name = 'SessionError'
  readonly code: SessionErrorCode

  constructor(code: SessionErrorCode, message: string, { cause }: { readonly cause?: unknown } = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

/** The error for an option: its name, what it was, what was expected. Shows of an object, and of a secret, no more than its kind. */
export function optionError(option: string, value: unknown, expected: string): SessionError {
  return new SessionError('ERR_SESSION_OPTION', `option ${option} was ${shown(option, value)}, expected ${expected}`)
}

function shown(option: string, value: unknown): string {
  if (typeof value === 'string') return option === 'keys' ? 'a string' : JSON.stringify(value)
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object'
  return typeof value === 'function' ? 'a function' : String(value)
}
