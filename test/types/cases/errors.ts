// The code tells what happened, and is one of those that are documented.

import { SessionError, type SessionErrorCode } from 'koa-session'

function status(error: unknown): number {
  if (!(error instanceof SessionError)) return 500
  const { code, message, cause } = error
  const name: 'SessionError' = error.name
  switch (code) {
    case 'ERR_SESSION_TOO_LARGE':
      return 413
    case 'ERR_SESSION_SCHEMA':
      return 422
    // @ts-expect-error: no such code
    case 'ERR_SESSION_UNKNOWN':
      return 400
  }
  // @ts-expect-error: its cases were handled above
  if (code === 'ERR_SESSION_SCHEMA') return 422
  const left: SessionErrorCode = code
  return `${left}${name}${message}${cause}`.length
}

const error: Error = new SessionError('ERR_SESSION_STORE', 'text', { cause: status })
// @ts-expect-error: no such code
new SessionError('ERR_OTHER', 'text')
// @ts-expect-error: for reading
new SessionError('ERR_SESSION_STORE', error.message).code = 'ERR_SESSION_DATA'
