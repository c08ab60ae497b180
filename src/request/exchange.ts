/** What one request's session needs of the request and the response: the seam between sessions and a framework. */

import type { SessionError } from '../errors.ts'
import type { Refused } from '../session/model.ts'

/** How far the middleware has come with a request; `thrown`: what is further in threw. */
export type Beginning = 'early' | 'running' | 'done' | 'thrown'

/** Why a session was ended. */
export type EndReason = 'sign-out' | 'emptied' | 'revoked' | 'cap' | 'reuse'

/** What became of a session. `id`: of a stored one, or `handle` where only that is known; `subject`: the hash of whose it is, or was. */
export interface Told {
  readonly type: 'created' | 'regenerated' | 'ended'
  readonly id: string | undefined
  readonly handle?: string
  readonly subject: string | undefined
  readonly reason?: EndReason
}

/** Something that an application may want to know of, as a value. The adapter gives it to the application. */
export type SessionEvent =
  /** A presented session was not accepted. */
  | { readonly type: 'refused'; readonly refused: Refused }
  /**
   * An id was presented that had been retired more than ten seconds before. `successor`: the handle of the session that took
   * its place; `subject`: the hash of whose that was.
   */
  | {
      readonly type: 'reuse'
      readonly id: string
      readonly successor: string | undefined
      readonly subject: string | undefined
    }
  | Told
  /** A change came after the headers had left, and could not be sent. */
  | { readonly type: 'late' }
  /** `keys` of a session were changed that another request had ended: nothing was saved. */
  | { readonly type: 'gone'; readonly keys: readonly string[] }
  /** The store failed, or did not answer in time. */
  | {
      readonly type: 'store'
      readonly operation: string
      readonly id: string | undefined
      readonly error: SessionError
    }
  /** An error that no request can be given any more. */
  | { readonly type: 'error'; readonly error: unknown }

/** One request and its response, as a session sees them. */
export interface Exchange {
  /** What the application's functions and the store are given. Nothing in it is read here. */
  readonly ctx: unknown
  /** The `nth` good value that the request brings, or why there is none. Throws what the application's own code throws. */
  receive(nth: number): string | Refused | undefined
  /**
   * Sends `value` along with the response, in place of what was sent before. Does nothing once the headers have left.
   * `isUnasked`: nobody asked for it, so it is not sent where a shared cache may keep the response.
   */
  send(value: string, isUnasked?: boolean): void
  /** Deletes the value that the client has. Does nothing once the headers have left. */
  clear(): void
  /** Does not send what was to be sent, where it is not too late. */
  withdraw(): void
  /** Throws what `send` would throw for `value`, as far as that is known before: `ERR_SESSION_INSECURE`, `ERR_SESSION_KEYS`. */
  checkSend(value: string): void
  /** The value that this response sends. */
  readonly sent: string | undefined
  /** The bytes of the cookies that send it, each as `name=value`. */
  readonly sentBytes: number
  /** Whether the headers have left, or there is no response that they could leave with. */
  readonly hasLeft: boolean
  /** Whether a shared cache may keep the response. */
  readonly isShared: boolean
  /** Says that the response depends on the session. */
  use(): void
  /** Has `leave` of the listener called before the headers leave. */
  watchHeaders(listener: { leave(): void }): void
  /** Says that the request ended in an error, on which a framework may delete every header. */
  fail(): void
  /** Whether the application listens to an event, which is not made otherwise. Never throws. */
  hears(type: Told['type']): boolean
  /** Gives the event to the application. Never throws. */
  emit(event: SessionEvent): void
}
