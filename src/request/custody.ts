/** How one request is related to the stored session that it works on: one value. The types alone. */

/** An id that another one is to take the place of. */
export interface Former {
  readonly id: string
  /** Whether the request says who signs in, or that they have proved who they are: that is never saved under this id. */
  readonly isProof?: boolean
}

export type Custody<F extends Former = Former> =
  /** Nobody has asked yet for what the client presented, if it did: the option `lazy`. */
  | { readonly at: 'presented'; readonly id?: undefined }
  /** The store has no record of this session: it is new, or was ended. `id`: the one that it will get. */
  | { readonly at: 'none'; readonly id?: string | undefined }
  /** The store was asked to create it, and has not answered. */
  | { readonly at: 'creating'; readonly id: string; readonly former: F | undefined }
  /** The store has it. `former`: its old id, which is still to be retired. */
  | { readonly at: 'stored'; readonly id: string; readonly former: F | undefined }
  /** It was to get a new id, and none could be made: it is under its old one. */
  | { readonly at: 'staying'; readonly id: string; readonly former: F }
  /** Another request has ended it. */
  | { readonly at: 'gone'; readonly id: string }
  /**
   * The presented id is retired: another request has given the client another one. `former`: this one has asked for a new id
   * as well, so that what it sets is a session of its own once that says who signs in.
   */
  | { readonly at: 'superseded'; readonly id: string; readonly former?: F }
  /** The store could not be read. */
  | { readonly at: 'unread'; readonly id: string }

/** What a commit is to do. `empty`: the session holds no data any more; `sweep`: what is left to be done of earlier commits. */
export type Wish = 'save' | 'update' | 'empty' | 'regenerate' | 'end' | 'sweep'

/**
 * | step | what is to be done | answers |
 * |---|---|---|
 * | `create` | make a record under `id`, if nothing is there | whether it was made |
 * | `patch` | write what has changed to the record under `id` | `saved`, `gone` |
 * | `update` | change the record under `id` as it is by now | `saved`, `emptied`, `gone` |
 * | `empty` | drop the record under `id`, unless others have put data there | `saved`, `emptied`, `gone` |
 * | `retire` | put a tombstone under the former id | `saved`, `conflict`, `gone`, `superseded` |
 * | `alone` | keep the data that say who this request signs in, and nothing else | whether they do say it |
 * | `merge` | write what others have written under the former id to `id` | whether both were there |
 * | `destroy` | destroy the record under the first of `leftovers` | |
 * | `send`, `clear`, `withdraw` | send `id` to the client; delete what it has; do not send what was to be sent | |
 * | `reportGone` | tell the application that another request has ended the session | |
 * | `refuse` | a new id can't reach the client, because the headers have left | |
 * | `noId` | three new ids were taken | |
 */
export type Step =
  | ('create' | 'patch' | 'update' | 'empty' | 'retire' | 'alone' | 'merge' | 'destroy')
  | ('send' | 'clear' | 'withdraw' | 'reportGone' | 'refuse' | 'noId')

export type StepAnswer = boolean | 'saved' | 'emptied' | 'gone' | 'conflict' | 'superseded' | undefined

/** What the machine asks of its request. */
export interface Surroundings<F extends Former> {
  /** An id that was never used. Throws `ERR_SESSION_ID`. */
  newId(): string
  /** Whether the client has `id`, or this response can still send it. */
  reaches(id: string): boolean
  /** What is known by now of the record under an id that is to be retired. */
  formerOf(id: string): F
}
