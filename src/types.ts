import type { Session as SessionMembers } from './session/session.ts'

/**
 * The data of your application's sessions. Declare it once, and `ctx.session` has its type everywhere:
 *
 * ```ts
 * declare module 'koa-session' {
 *   interface SessionData { userId?: string }
 * }
 * ```
 */
// biome-ignore lint/suspicious/noEmptyInterface: it is there to be augmented
export interface SessionData {}

/** The data of a session, each key of which may be missing; anything goes while no `SessionData` is declared, as in 7.x. */
// biome-ignore lint/suspicious/noExplicitAny: code that was written for 7.x, where nothing is typed, has to compile
export type SessionDataOf<Data> = keyof Data extends never ? Record<string, any> : Partial<Data>

/** What 7.x does not have, where the application has no data of that name. */
type Taken<Data> = Extract<keyof Data, 'handle' | 'createdAt' | 'isFresh' | 'update' | 'degraded'>
/** Before the untyped one, and no `Omit` around the others: a mapped type has no accessors whose setter takes more. */
interface Typed<Data> {
  /**
   * Changes the session as it is by now, in one atomic step with saving it. `change` is given a draft, and again a newer one if
   * another request has saved in between: so it changes its draft and nothing else, and is not async. Elsewhere than in a store
   * that is written to key by key, the last save wins. Rejects as `save()` does, with what `change` throws, with
   * `ERR_SESSION_ASYNC`, and with `ERR_SESSION_CONFLICT` after a hundred attempts.
   */
  update(change: (draft: SessionDataOf<Data>) => unknown): Promise<void>
}
type MembersBeside<Data> = [Taken<Data>] extends [never]
  ? Typed<Data> & SessionMembers
  : Omit<Typed<Data> & SessionMembers, Taken<Data>>

/** The object behind `ctx.session`: what a session can do, and the application's data. */
export type Session<Data = SessionData> = MembersBeside<Data> & SessionDataOf<Data>

/** What the middleware adds to a context. */
export interface SessionContext<Data = SessionData> {
  /**
   * The visitor's session. Set it to an object to replace the data, to `null` to end the session; it then reads
   * `null` for the rest of the request.
   */
  get session(): Session<Data>
  set session(value: SessionDataOf<Data> | null)
  /** The options, as they are for this response; what is written to them holds for it alone. */
  readonly sessionOptions: Record<string, unknown>
}

/** What the middleware adds to the types of a context: nothing while no data is declared. */
export type ContextFor<Data, Property extends string> = keyof Data extends never
  ? // biome-ignore lint/complexity/noBannedTypes: what Koa itself has in place of a context of your own
    {}
  : Property extends 'session'
    ? SessionContext<Data>
    : { [Name in Property]: Session<Data> | null } & {
        [Name in `${Property}Options`]: Record<string, unknown>
      }

type DeclaredContext = ContextFor<SessionData, 'session'>

declare module 'koa' {
  interface ExtendableContext extends DeclaredContext {}
}
