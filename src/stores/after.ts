import { SessionError } from '../errors.ts'
import type { Answer } from './store.ts'

/** What `next` makes of an answer, at once where that is there. */
export function after<From, To>(answer: Answer<From>, next: (answer: From) => Answer<To>): Answer<To> {
  return answer instanceof Promise ? answer.then(next) : next(answer)
}

/** The options whose text is shown. */
const SHOWN: readonly string[] = ['table', 'hashIds', 'sweepEvery']

/** Throws `ERR_SESSION_OPTION` for an option of `maker` that is not `expected`. Shows no value that may be a secret. */
export function checkOption(maker: string, option: string, value: unknown, isGood: boolean, expected: string): void {
  if (isGood) return
  // A text in the place of a client may be an address with a password.
  const isText = typeof value === 'string' && !SHOWN.includes(option)
  const isHidden = option === 'seal' || isText || Object(value) === value
  const shown = isHidden ? `of type ${typeof value}` : String(value)
  throw new SessionError('ERR_SESSION_OPTION', `${maker}: ${option} was ${shown}, expected ${expected}`)
}
