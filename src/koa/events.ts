import { createHash } from 'node:crypto'
import type { Context } from 'koa'
import { digest } from '../codec/digest.ts'
import type { SessionEvent } from '../request/exchange.ts'

/**
 * Gives an event to the application, once the request has gone on:
 *
 * | event | argument | |
 * |---|---|---|
 * | `session:missed`, `session:expired`, `session:invalid` | `{ key, value, reason, ctx }` | as in 7.x; `key` is the id |
 * | `session:refused` | `{ reason, id, ctx }` | after one of these, or alone for what can't be told from noise |
 * | `session:reuse` | `{ id, successor, subjectHash, handle, ctx }` | an id that was retired before; `successor`: of the one that took its place, which `store.destroyAll({ subjectHash }, { only: handle })` ends |
 * | `session:gone` | `{ keys, ctx }` | the keys that were changed in a session that another request had ended |
 * | `session:late` | `{ ctx }` | a change came after the headers had left |
 * | `session:error` | `{ operation, id, error, ctx }` | a store failed; `error` is what the request is given, if any |
 *
 * An `id` is a fingerprint: the first 8 characters of the SHA-256 in hex (ASVS 16.2.5).
 */
export function emitEvent(context: unknown, event: SessionEvent): void {
  const ctx = context as Context
  if (event.type === 'error') emitError(ctx, event.error)
  else
    setImmediate(() => {
      try {
        emitNow(ctx, event)
      } catch (error) {
        // A listener that throws does not end the process.
        emitError(ctx, error)
      }
    })
}

function emitNow(ctx: Context, event: Exclude<SessionEvent, { type: 'error' }>): void {
  const { app } = ctx
  switch (event.type) {
    case 'refused': {
      const { fault, reason, id: key, value } = event.refused
      if (fault !== 'none') app.emit(`session:${fault}`, { key, value, reason, ctx })
      app.emit('session:refused', { reason, id: fingerprint(key), ctx })
      return
    }
    case 'reuse': {
      const { id, subject: subjectHash } = event
      const handle = handleOf(event.successor)
      const successor = handle && Buffer.from(handle, 'base64url').toString('hex').slice(0, 8)
      app.emit('session:reuse', { id: fingerprint(id), successor, subjectHash, handle, ctx })
      return
    }
    case 'late':
      app.emit('session:late', { ctx })
      return
    case 'gone':
      app.emit('session:gone', { keys: event.keys, ctx })
      return
    default:
      app.emit('session:error', { operation: event.operation, id: fingerprint(event.id), error: event.error, ctx })
  }
}

function fingerprint(id: string | undefined): string | undefined {
  return id === undefined ? undefined : createHash('sha256').update(id).digest('hex').slice(0, 8)
}

/** A store that breaks its contract may give an id in place of its handle, which is the SHA-256 in base64url. */
function handleOf(kept: string | undefined): string | undefined {
  return kept === undefined || /^[\w-]{43}$/.test(kept) ? kept : digest(kept)
}

/** Koa takes nothing but an `Error`. */
function emitError(ctx: Context, error: unknown): void {
  const cause = error instanceof Error ? error : new Error('non-error thrown by a commit', { cause: error })
  try {
    ctx.app.emit('error', cause, ctx)
  } catch (failure) {
    process.emitWarning(failure instanceof Error ? failure : String(failure))
  }
}
