import { createHash } from 'node:crypto'
import type { Context } from 'koa'
import { NO_CHANGES } from '../session/members.ts'
import type { Changes, Refused } from '../session/model.ts'

/**
 * Says on the application, once the request has gone on, why a presented session was not taken up: `session:refused`,
 * with `{ reason, id, ctx }`, where `id` is the fingerprint of a stored session's. Before it, as in 7.x and with the
 * reason, `session:missed`, `session:expired` or `session:invalid` with `{ key, value, reason, ctx }`; `key` is the id.
 */
export function emitRefused(ctx: Context, { fault, reason, id: key, value }: Refused): void {
  setImmediate(() => {
    if (fault !== 'none') ctx.app.emit(`session:${fault}`, { key, value, reason, ctx })
    ctx.app.emit('session:refused', { reason, id: fingerprint(key), ctx })
  })
}

/** Says that an id was presented that had been given up before: `session:reuse`, with `{ id, ctx }`, its fingerprint. */
export function emitReuse(ctx: Context, id: string): void {
  setImmediate(() => ctx.app.emit('session:reuse', { id: fingerprint(id), ctx }))
}

/** What may be logged of an id: the first 8 characters of its SHA-256 in hex (ASVS 16.2.5). */
function fingerprint(id: string | undefined): string | undefined {
  return id === undefined ? undefined : createHash('sha256').update(id).digest('hex').slice(0, 8)
}

/** Says that a change came after the headers had left, and could not be sent: `session:late`, with `{ ctx }`. */
export function emitLate(ctx: Context): void {
  setImmediate(() => ctx.app.emit('session:late', { ctx }))
}

/**
 * Says that a session was changed that another request had ended, so that nothing was saved: `session:gone`, with
 * `{ keys, ctx }`, the keys that were changed.
 */
export function emitGone(ctx: Context, { set, unset }: Changes = NO_CHANGES): void {
  setImmediate(() => ctx.app.emit('session:gone', { keys: [...Object.keys(set), ...unset], ctx }))
}

/**
 * Says that a store failed, or did not answer in time: `session:error`, with `{ operation, id, error, ctx }`, where `id`
 * is the fingerprint of the session's. `error` is what the request is given, if it is given any.
 */
export function emitFailed(ctx: Context, operation: string, id: string | undefined, error: Error): void {
  setImmediate(() => ctx.app.emit('session:error', { operation, id: fingerprint(id), error, ctx }))
}

/** Tells the application of an error that nobody can be given. Koa takes nothing but an `Error`. */
export function emitError(ctx: Context, error: unknown): void {
  const cause = error instanceof Error ? error : new Error('non-error thrown by a commit', { cause: error })
  ctx.app.emit('error', cause, ctx)
}
