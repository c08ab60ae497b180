import { SessionError } from '../errors.ts'
import type { Answer } from './store.ts'

/** What `next` makes of an answer, at once where that is there. */
export function after<From, To>(answer: Answer<From>, next: (answer: From) => Answer<To>): Answer<To> {
  return answer instanceof Promise ? answer.then(next) : next(answer)
}

/**
 * Throws `ERR_SESSION_STORE` for an answer that is not about what was asked. Clients have counted their answers wrongly after a
 * connection broke: each command then got the answer of another, and each visitor the session of another.
 */
export function checkAnswer(isAbout: boolean): void {
  if (isAbout) return
  const what = 'the client of the store gave the answer to another question, and nothing of it was used'
  throw new SessionError('ERR_SESSION_STORE', `${what}: start the process anew, and see docs/clients.md`)
}

/** Options in whose place a secret, or an address with a password, may be given by mistake. */
const HIDDEN: readonly string[] = ['seal', 'client', 'pool', 'db', 'collection', 'store', 'from', 'to']

/** Throws `ERR_SESSION_OPTION` for an option of `maker` that is not `expected`. Shows no value that may be a secret. */
export function checkOption(maker: string, option: string, value: unknown, isGood: boolean, expected: string): void {
  if (isGood) return
  const isHidden = HIDDEN.includes(option) || typeof value === 'object' || typeof value === 'function'
  const quoted = typeof value === 'string' ? JSON.stringify(value) : value
  const shown = isHidden ? `of type ${typeof value}` : String(quoted)
  throw new SessionError('ERR_SESSION_OPTION', `${maker}: ${option} was ${shown}, expected ${expected}`)
}
