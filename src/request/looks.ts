/** The options with which the application looks at a session that was presented. */

import { isAsyncFunction, refusePromise } from '../async.ts'
import type { Config } from '../config.ts'
import type { Payload } from '../session/model.ts'

/** Whether a session that was presented is looked at by an async function, which is awaited before the handler. */
export function isAwaited({ notBefore, valid }: Config): boolean {
  return isAsyncFunction(notBefore) || isAsyncFunction(valid)
}

/** Whether the application looks at a payload, and may write to it. */
export function isLookedAt({ notBefore, valid }: Config): boolean {
  return valid !== undefined || typeof notBefore === 'function'
}

/** What an option gives that looks at a payload: a promise only where it was known that there would be one. */
export function awaitable(
  name: string,
  look: (ctx: unknown, payload: Payload) => unknown,
  ctx: unknown,
  payload: Payload,
) {
  const answer = look(ctx, payload)
  return isAsyncFunction(look) ? answer : refusePromise(answer, name, 'declare it as an async function')
}
