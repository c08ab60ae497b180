import { SessionError } from '../errors.ts'
import type { Answer } from './store.ts'

/** What `next` makes of an answer, at once where that is there. */
export function after<From, To>(answer: Answer<From>, next: (answer: From) => Answer<To>): Answer<To> {
  return answer instanceof Promise ? answer.then(next) : next(answer)
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
