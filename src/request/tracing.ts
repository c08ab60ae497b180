/** The tracing channels of `node:diagnostics_channel`. A message is made only where somebody subscribes to one of them. */
import { type TracingChannelCollection, tracingChannel } from 'node:diagnostics_channel'
import { isPromise } from '../async.ts'
import { fingerprint } from '../codec/digest.ts'
import { SessionError, type SessionErrorCode } from '../errors.ts'
import type { Answer } from '../stores/store.ts'
import type { Backend, Standing } from './backend.ts'
import type { Custody } from './custody.ts'
import type { Question } from './privacy.ts'

/** A message is the same object from the start of the operation to its end. It has no data, no id, and no error. */
interface Traced {
  /** The fingerprint of the session's id, as in the events. Absent: there is none, or it is not known. */
  readonly id?: string | undefined
  /** Milliseconds. Absent: it is not over. */
  readonly duration?: number
  /** Of the `SessionError` that it ended with. */
  readonly code?: SessionErrorCode | undefined
}

/** One call of a store, on the tracing channel `koa-session:store`. */
export interface SessionStoreMessage extends Traced {
  /** The method. */
  readonly operation:
    | 'get'
    | 'set'
    | 'destroy'
    | 'read'
    | 'create'
    | 'patch'
    | 'touch'
    | 'retire'
    | 'list'
    | 'destroyAll'
  /**
   * `missing`: nothing was found, or a retired id. `gone`: what was to be changed is not there any more. `conflict`: another
   * request was faster, or the id is taken. `timeout`: it did not answer within `storeTimeout`. `failed`: it threw or
   * rejected. `done`: all else. Absent: it is not over.
   */
  readonly outcome?: 'done' | 'missing' | 'gone' | 'conflict' | 'timeout' | 'failed'
  /** Of the keys and their JSON, which `create` and `patch` write and `read` finds. Absent: not known. */
  readonly bytes?: number | undefined
}

/** One commit of a session, on the tracing channel `koa-session:commit`. */
export interface SessionCommitMessage extends Traced {
  /** `none`: there is nothing to do, or it is not known yet, as at `start`. `touch`: it is extended. */
  readonly operation: 'none' | 'create' | 'patch' | 'touch' | 'update' | 'regenerate' | 'destroy'
  /**
   * `gone`: nothing was saved, because another request has ended the session, or it is `degraded`. `late`: nothing could be
   * sent, because the headers had left. `limit`: `maxSessions` had no room. `conflict`: others were faster than `update()`.
   * `timeout`: the store did not answer. `failed`: another error, or a session that could not be extended. `done`: all else.
   * Absent: it is not over.
   */
  readonly outcome?: 'done' | 'gone' | 'late' | 'limit' | 'conflict' | 'timeout' | 'failed'
  /** The session's cookies that the response sends, each as `name=value`. 0: it sends none. Absent: nothing was done. */
  readonly bytes?: number | undefined
}

export const STORE = tracingChannel<unknown, SessionStoreMessage>('koa-session:store')
export const COMMIT = tracingChannel<unknown, SessionCommitMessage>('koa-session:commit')

/** Node 18 knows it of the single channels alone. */
export function isHeard({ start, end, asyncStart, asyncEnd, error }: typeof STORE | typeof COMMIT): boolean {
  if (start.hasSubscribers || end.hasSubscribers || error.hasSubscribers) return true
  return asyncStart.hasSubscribers || asyncEnd.hasSubscribers
}

/** `work`, which asks a store. */
export function traceStore<Value>({ operation, id, what }: Question, work: () => Answer<Value>): Answer<Value> {
  const { members, set }: Record<string, unknown> = { ...what }
  const bytes = operation === 'create' ? sizeOf(members) : operation === 'patch' ? sizeOf(set) : undefined
  const message = { operation, id: fingerprint(id), bytes } as SessionStoreMessage
  return traced(STORE, message, work, answer => {
    const outcome = outcomeOf(operation, answer)
    return operation === 'read' && outcome === 'done' ? { outcome, bytes: sizeOf(Object(answer).members) } : { outcome }
  })
}

const TOMBSTONES: Record<string, string> = { get: '_retired', read: 'retiredAt' }

function outcomeOf(operation: string, answer: unknown): SessionStoreMessage['outcome'] {
  const tombstone = TOMBSTONES[operation]
  if (tombstone) return answer && Object(answer)[tombstone] === undefined ? 'done' : 'missing'
  if (operation === 'create') return answer === true ? 'done' : 'conflict'
  if (operation === 'touch') return answer ? 'done' : 'gone'
  return answer === 'gone' || answer === 'conflict' ? answer : 'done'
}

/** What can't be read is no text. */
function sizeOf(members: unknown): number {
  const texts = Object.entries(Object(members)).flat()
  return Buffer.byteLength(texts.filter(text => typeof text === 'string').join(''))
}

/** Has a commit say what it is about once it knows. */
export type About = (operation: SessionCommitMessage['operation']) => void

/** `work`, which commits what `backend` has. */
export function traceCommit(backend: Backend, work: (about: About) => Answer<void>): Answer<void> {
  const message: SessionCommitMessage = { operation: 'none', id: fingerprint(backend.standing.id) }
  const about: About = operation => put(message, { operation })
  return traced<SessionCommitMessage, void>(
    COMMIT,
    message,
    () => work(about),
    () => {
      if (message.operation === 'none') return { outcome: 'done' }
      const { id, lost } = backend.standing
      // A session that was merely to be extended may stay as it is, whatever the store says.
      const outcome = lost ?? (message.operation === 'touch' && backend.done !== 'saved' ? 'failed' : 'done')
      const bytes = outcome === 'done' ? backend.exchange.sentBytes : undefined
      return { id: fingerprint(id) ?? message.id, outcome, bytes }
    },
  )
}

/** Of a session in a store that is `custody`, after a commit; `isRefused`: there was no room for it. */
export function standingIn({ at, id }: Custody, isRefused: boolean, isEnded: boolean): Standing {
  if (at === 'gone' || at === 'superseded' || at === 'unread') return { id, lost: 'gone' }
  if (isRefused) return { id, lost: 'limit' }
  return { id, lost: at === 'none' && !isEnded ? 'late' : undefined }
}

/** As `traceSync` and `tracePromise` of Node, without the value and the error. What answers at once still does. */
function traced<Message extends object, Value>(
  { start, end, asyncStart, asyncEnd, error }: TracingChannelCollection<unknown, Message>,
  message: Message,
  work: () => Answer<Value>,
  resultOf: (value: Value) => Partial<Message>,
): Answer<Value> {
  const began = performance.now()
  const over = (result: object) => put(message, { ...result, duration: performance.now() - began })
  const succeed = (value: Value) => {
    over(resultOf(value))
    return value
  }
  const fail = (failure: unknown): never => {
    const code = failure instanceof SessionError ? failure.code : undefined
    over({ outcome: /TIMEOUT|CONFLICT|LIMIT/.exec(code ?? '')?.[0].toLowerCase() ?? 'failed', code })
    error.publish(message)
    throw failure
  }
  const later = () => {
    asyncStart.publish(message)
    asyncEnd.publish(message)
  }
  return start.runStores(message, () => {
    try {
      const answer = work()
      return isPromise(answer) ? Promise.resolve(answer).then(succeed, fail).finally(later) : succeed(answer)
    } catch (failure) {
      return fail(failure)
    } finally {
      end.publish(message)
    }
  })
}

/** A subscriber may have frozen it. */
function put(message: object, values: object): void {
  for (const [name, value] of Object.entries(values)) Reflect.set(message, name, value)
}
