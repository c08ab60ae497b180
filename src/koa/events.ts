import type { Context } from 'koa'
import type { Changes } from '../session/members.ts'
import type { Refused } from '../session/payload.ts'

/**
 * Says on the application, once the request has gone on, why a presented session was not taken up:
 * `session:missed`, `session:expired` or `session:invalid`, with `{ key, value, ctx }` as in 7.x; `key` is the id of a
 * stored session.
 */
export function emitFault(ctx: Context, { fault, id: key, value }: Refused): void {
  setImmediate(() => ctx.app.emit(`session:${fault}`, { key, value, ctx }))
}

/** Says that a change came after the headers had left, and could not be sent: `session:late`, with `{ ctx }`. */
export function emitLate(ctx: Context): void {
  setImmediate(() => ctx.app.emit('session:late', { ctx }))
}

/**
 * Says that a session was changed that another request had ended, so that nothing was saved: `session:gone`, with
 * `{ keys, ctx }`, the keys that were changed.
 */
export function emitGone(ctx: Context, { set, unset }: Changes): void {
  setImmediate(() => ctx.app.emit('session:gone', { keys: [...Object.keys(set), ...unset], ctx }))
}

/** Tells the application of an error that nobody can be given. Koa takes nothing but an `Error`. */
export function emitError(ctx: Context, error: unknown): void {
  const cause = error instanceof Error ? error : new Error('non-error thrown by a commit', { cause: error })
  ctx.app.emit('error', cause, ctx)
}
