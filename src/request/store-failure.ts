import { SessionError } from '../errors.ts'
import type { Exchange } from './exchange.ts'
import { type Question, repeats } from './privacy.ts'

/** What a request is told of a store that failed, and the event. */
export function failed(exchange: Exchange, question: Question, cause: unknown): SessionError {
  const { operation, id } = question
  const what = operation === 'open' ? 'could not be made' : `failed in ${operation}()`
  // It may reject with nothing.
  const reason = { cause: cause ?? String(cause), isPrivate: (text: string) => repeats(text, question) }
  return told(exchange, operation, id, new SessionError('ERR_SESSION_STORE', `the session store ${what}`, reason))
}

/** The same of one that did not answer in time. */
export function overdue(exchange: Exchange, operation: string, id: string | undefined, patience: number): SessionError {
  const what = `the session store did not answer ${operation}() within ${patience} ms (option storeTimeout)`
  const advice = 'it may still do what it was asked; look at its load, and at the connection to it'
  return told(exchange, operation, id, new SessionError('ERR_SESSION_TIMEOUT', `${what}: ${advice}`))
}

function told(exchange: Exchange, operation: string, id: string | undefined, error: SessionError): SessionError {
  exchange.emit({ type: 'store', operation, id, error })
  return error
}

/** Whether `error` is that of a store which failed, or did not answer. */
export function isStoreFailure(error: unknown): boolean {
  return error instanceof SessionError && (error.code === 'ERR_SESSION_STORE' || error.code === 'ERR_SESSION_TIMEOUT')
}
