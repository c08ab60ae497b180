import { EventEmitter } from 'node:events'
import type { Context } from 'koa'
import { isPromise, promised } from '../async.ts'
import { digest, fingerprint, fingerprintOf } from '../codec/digest.ts'
import type { SessionEvent, Told } from '../request/exchange.ts'
import { kindOf } from '../value-kind.ts'

/**
 * Gives an event to the application, once the request has gone on:
 *
 * | event | argument | |
 * |---|---|---|
 * | `session:missed`, `session:expired`, `session:invalid` | `{ key, value, reason, ctx }` | as in 7.x; `key` is the id |
 * | `session:refused` | `{ reason, id, ctx }` | after one of these, or alone for what can't be told from noise |
 * | `session:reuse` | `{ id, successor, subjectHash, handle, ctx }` | an id that was retired before; `successor`: of the one that took its place, which `store.destroyAll({ subjectHash }, { only: handle })` ends |
 * | `session:created`, `session:regenerated` | `{ id, subjectHash, ctx }` | a session was stored or sent first, or under a new id |
 * | `session:ended` | `{ id, subjectHash, reason, ctx }` | a session was ended here, see `EndReason` |
 * | `session:gone` | `{ keys, ctx }` | the keys that were changed in a session that another request had ended |
 * | `session:late` | `{ ctx }` | a change came after the headers had left |
 * | `session:error` | `{ operation, id, error, ctx }` | a store failed; `error` is what the request is given, if any |
 *
 * An `id` is a fingerprint: the first 8 characters of the SHA-256 in hex (ASVS 16.2.5). Except in the first three, which
 * are as in 7.x, `ctx` is not enumerable: a log of the event does not show the request's cookies.
 */
export function emitEvent(context: unknown, event: SessionEvent): void {
  const ctx = context as Context
  if (event.type === 'error') emitError(ctx, event.error)
  // What a store gives that breaks its contract may throw here, where nobody waits for it.
  else setImmediate(() => promised(() => emitNow(ctx, event)).catch(error => emitError(ctx, error)))
}

const NAMES = { created: 'session:created', regenerated: 'session:regenerated', ended: 'session:ended' } as const

/** Whether somebody is called for an event. */
export function isHeard(context: unknown, type: Told['type']): boolean {
  const app = (context as Partial<Context> | undefined)?.app
  return app !== undefined && (app.emit !== EventEmitter.prototype.emit || app.listenerCount(NAMES[type]) > 0)
}

function emitNow(ctx: Context, event: Exclude<SessionEvent, { type: 'error' }>): void {
  switch (event.type) {
    case 'refused': {
      const { fault, reason, id: key, value } = event.refused
      if (fault !== 'none') deliver(ctx, `session:${fault}`, { key, value, reason, ctx })
      deliver(ctx, 'session:refused', inContext(ctx, { reason, id: fingerprint(key) }))
      return
    }
    case 'reuse': {
      const { id, subject: subjectHash } = event
      const handle = handleOf(event.successor ?? undefined)
      const successor = handle && fingerprintOf(handle)
      deliver(ctx, 'session:reuse', inContext(ctx, { id: fingerprint(id), successor, subjectHash, handle }))
      return
    }
    case 'created':
    case 'regenerated':
    case 'ended': {
      const { type, id: key, subject: subjectHash, reason } = event
      const id = fingerprint(key) ?? (event.handle && fingerprintOf(event.handle))
      const argument = { ...(id && { id }), ...(subjectHash && { subjectHash }), ...(reason && { reason }) }
      deliver(ctx, NAMES[type], inContext(ctx, argument))
      return
    }
    case 'late':
      deliver(ctx, 'session:late', inContext(ctx, {}))
      return
    case 'gone':
      deliver(ctx, 'session:gone', inContext(ctx, { keys: event.keys }))
      return
    default: {
      const { operation, id, error } = event
      deliver(ctx, 'session:error', inContext(ctx, { operation, id: fingerprint(id), error }))
    }
  }
}

function inContext(ctx: Context, argument: object): object {
  return Object.defineProperty(argument, 'ctx', { value: ctx, configurable: true, writable: true })
}

function deliver(ctx: Context, name: string, argument: object): void {
  call(ctx, name, [argument], error => emitError(ctx, error))
}

/** Koa takes nothing but an `Error`. */
function emitError(ctx: Context, error: unknown): void {
  const what = 'a listener of an event, or a commit, threw'
  const given =
    error instanceof Error ? error : new Error(`${what} ${kindOf(error)} in place of an Error`, { cause: error })
  call(ctx, 'error', [given, ctx], warn)
}

/** Calls every listener of the application. What one of them throws, or rejects with, goes to `fail`; the others are called. */
function call(ctx: Context, name: string, given: unknown[], fail: (error: unknown) => void): void {
  const guarded = (work: () => unknown) => {
    try {
      const result = work()
      if (isPromise(result)) result.then(undefined, fail)
    } catch (error) {
      fail(error)
    }
  }
  guarded(() => {
    const { app } = ctx
    // Somebody's own `emit` (a mock, an instrument) is asked. Without a listener the event `error` is thrown by it.
    if (app.emit !== EventEmitter.prototype.emit || app.listenerCount(name) === 0) return app.emit(name, ...given)
    for (const listener of app.rawListeners(name)) guarded(() => Reflect.apply(listener, app, given))
  })
}

/** What nobody is left to be told of. */
function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : `a listener of app.on('error') threw ${kindOf(error)}`)
}

/** A store that breaks its contract may give an id in place of its handle, which is the SHA-256 in base64url. */
function handleOf(kept: string | undefined): string | undefined {
  return kept === undefined || /^[\w-]{43}$/.test(kept) ? kept : digest(kept)
}
