/** The options with which the application looks at a session that was presented. */

import { andThen, isAsyncFunction, refusePromise } from '../async.ts'
import type { Config } from '../config.ts'
import type { Loaded, Payload } from '../session/model.ts'
import { isRevoked } from './revoked.ts'
import { passesSchema } from './schema.ts'

/** Whether a session that was presented is looked at by an async function, which is awaited before the handler. */
export function isAwaited({ notBefore, valid }: Config): boolean {
  return isAsyncFunction(notBefore) || isAsyncFunction(valid)
}

/** Whether the application looks at a payload, and may write to it. */
export function isLookedAt({ notBefore, valid }: Config): boolean {
  return valid !== undefined || typeof notBefore === 'function'
}

/** What an option gives that looks at a payload: a promise only where it was known that there would be one. */
function awaitable(name: string, look: (ctx: unknown, payload: Payload) => unknown, ctx: unknown, payload: Payload) {
  const answer = look(ctx, payload)
  return isAsyncFunction(look) ? answer : refusePromise(answer, name, 'declare it as an async function')
}

/** What is to be made of a cookie that says `payload`; `text` is its JSON, where that can be told. */
export function lookAt(ctx: unknown, config: Config, payload: Payload, text: string | undefined) {
  const { notBefore } = config
  if (typeof notBefore !== 'function') return judged(ctx, config, payload, text, notBefore)
  return andThen(awaitable('notBefore', notBefore, ctx, payload), instant =>
    judged(ctx, config, payload, text, instant),
  )
}

function judged(
  ctx: unknown,
  config: Config,
  payload: Payload,
  text: string | undefined,
  instant: unknown,
): Loaded | Promise<Loaded> {
  const { valid } = config
  if (isRevoked(payload, instant)) return { fault: 'invalid', reason: 'revoked', value: payload }
  if (!valid) return checked(config, payload, text)
  return andThen(awaitable('valid', valid, ctx, payload), isValid =>
    isValid ? checked(config, payload, text) : { fault: 'invalid', reason: 'valid', value: payload },
  )
}

function checked(config: Config, payload: Payload, text: string | undefined): Loaded {
  const passes = refusePromise(passesSchema(config.schema, payload), 'schema')
  if (!passes) return { fault: 'invalid', reason: 'schema', value: payload }
  // What looks at the payload may write to it; and another encode may not write what this text is.
  const isOurs = !isLookedAt(config) && config.codec.write !== undefined
  return { payload, lifetime: payload, text: isOurs ? text : undefined }
}
