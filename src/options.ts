import type { Context } from 'koa'
import type { MaxAge } from './session/model.ts'
import type { Store, Subject } from './stores/store.ts'
import type { Session, SessionData, SessionDataOf } from './types.ts'

/**
 * A validator of any library that implements Standard Schema version 1 (zod, valibot, arktype, …), as far as it is
 * used here: https://standardschema.dev
 */
export interface StandardSchema<Input = unknown> {
  /** What the standard names: https://standardschema.dev */
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => StandardResult | Promise<StandardResult>
    readonly types?: { readonly input: Input; readonly output: unknown } | undefined
  }
}

export interface StandardResult {
  readonly issues?:
    | ReadonlyArray<{
        readonly message: string
        readonly path?: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined
      }>
    | undefined
}

/** A way of your own to carry the id of a stored session, in place of the cookie. */
export interface ExternalKey {
  /** The id in the request, or nothing. */
  get(ctx: Context): string | null | undefined
  /** Sends `id` along with the response. */
  set(ctx: Context, id: string): void
  /** Takes the id back from the client, when its session has been destroyed. */
  clear?(ctx: Context): void
}

/**
 * What is passed through to `ctx.cookies.get()` and `ctx.cookies.set()`, as are options that are not named here.
 * A framework that has cookies of its own adds its options by augmenting this interface.
 */
export interface CookieOptions {
  /** The path that the cookie is sent to. Default `/`. */
  path?: string | null | undefined
  /** The domain that the cookie is sent to. Default: the host that set it, and no other. */
  domain?: string | null | undefined
  /**
   * Sent over encrypted connections only. Default `'auto'`: `true` when the request came over HTTPS. `true` on a
   * connection that is not encrypted is `ERR_SESSION_INSECURE`; behind a proxy, set `app.proxy`.
   */
  secure?: boolean | 'auto' | null | undefined
  /** Kept from scripts in the page. Default `true` (ASVS 3.3.4). */
  httpOnly?: boolean | null | undefined
  /** Which requests from other sites have the cookie (ASVS 3.3.2). Default: not said. `true` is `'strict'`. */
  sameSite?: 'strict' | 'lax' | 'none' | (string & {}) | boolean | null | undefined
  /** Kept apart for each top-level site (CHIPS). Default `false`. */
  partitioned?: boolean | null | undefined
  /** Which cookies Chromium drops first when it has too many. Default: not said. */
  priority?: 'low' | 'medium' | 'high' | null | undefined
  /** Signed with the first of `app.keys`, in a second cookie `<key>.sig`. Default `true`. */
  signed?: boolean | null | undefined
  /** Takes the place of a cookie of the same name that the handler set. Default `true`. */
  overwrite?: boolean | null | undefined
}

/** `Data`, which is not inferred from what is of this type. `NoInfer` is of TypeScript 5.4. */
type Known<Data> = [Data][Data extends unknown ? 0 : never]

/** An instant, or none. */
export type Instant = number | Date | null | undefined

/** The options of `session()`. Everywhere, `null` and `undefined` mean "not set". */
export interface CreateSessionOptions<Data extends object = SessionData, Property extends string = 'session'>
  extends CookieOptions {
  /** The cookie's name. Default `koa.sess`. */
  key?: string | null | undefined
  /** The property of `ctx` that holds the session; its options are at `<property>Options`. Default `session`. */
  property?: Property | null | undefined
  /**
   * Idle lifetime in milliseconds, or `'session'`: until the browser closes. Default one day. The session ends then,
   * whatever the client keeps. With `'session'` a copied cookie never ends, unless `absoluteTimeout` is set.
   */
  maxAge?: MaxAge | null | undefined
  /** The lifetime that a store is given when `maxAge` is `'session'`, in milliseconds. Default one day. */
  ttl?: number | null | undefined
  /** Commit when the handler is done. `false`: the handler calls `ctx.session.manuallyCommit()`. Default `true`. */
  autoCommit?: boolean | null | undefined
  /** Extend the lifetime with every response. Default `false`. */
  rolling?: boolean | null | undefined
  /** Extend the lifetime when less than half of it is left, or less than so many milliseconds. Default `false`. */
  renew?: boolean | number | null | undefined
  /**
   * The longest that a session lives since it was made, in milliseconds, however often it is extended or regenerated
   * (ASVS 7.3.2). A session that was saved without this option counts from its last save; one that does not say when
   * that was (`maxAge: 'session'`) ends.
   */
  absoluteTimeout?: number | null | undefined
  /**
   * Encrypts the cookie, the whole session or the id of a stored one: AES-256-GCM, in one cookie in place of two. With
   * `acceptSigned`, signed cookies are read, too, and are replaced by sealed ones: for the time of a migration.
   * Weak secrets, and the options `encode`, `decode` and `externalKey` beside it, are refused. Default `false`.
   */
  seal?: boolean | { readonly acceptSigned?: boolean } | null | undefined
  /** The secrets for `seal`, of 32 bytes or more, the first one seals. Default: `app.keys`, where those are a list and not a Keygrip. */
  keys?: ReadonlyArray<string | Uint8Array> | null | undefined
  /**
   * Lets a sealed cookie of more than 4096 bytes be sent as several, together under 7 kB in the request (`true`, 2) or
   * under 12 kB (3), which many servers refuse unless they are told otherwise. Default `false`.
   */
  chunks?: boolean | 2 | 3 | null | undefined
  /**
   * `Vary: Cookie` when the session was used, `Cache-Control: no-store` with its cookie. Where the handler lets shared caches
   * keep the response without saying `public`, it becomes `private`. Default `true`.
   */
  cacheHeaders?: boolean | null | undefined
  /**
   * How many cookies that were verified are kept in memory, ready for their next request: signed and sealed ones, of sessions
   * and of ids. Those that were seen or sent once are in 8 MB beside, which all sessions of a process share. `0`: every
   * cookie is verified at each request. Default 1,000.
   */
  remember?: number | null | undefined
  /** Text for a cookie from a payload. Default: base64 of JSON. */
  encode?: ((payload: Record<string, unknown>) => string) | null | undefined
  /**
   * The payload that `encode` was given. Nothing: `session:missed`; a `SyntaxError`: a new session, silently; any
   * other error is thrown where `ctx.session` is read, and clears the cookie.
   */
  decode?: ((text: string) => unknown) | null | undefined
  /**
   * Ends every session that began before this instant, in every mode: a `Date`, milliseconds since the epoch by the clock
   * `now`, or a function that gives one of them for a session, or nothing. `session:refused` says `revoked`, and a stored
   * session is destroyed. A session begins when it is made, with each `regenerate()`, and when its `subject` changes. One
   * that was saved without this option counts from its last save; if it does not say when that was, it is refused.
   * The function may be async; in cookie mode a promise of one that is not declared as async is `ERR_SESSION_ASYNC`. What
   * is no instant is `ERR_SESSION_OPTION`. Read it from your database on each request: a copy may be too old.
   */
  notBefore?:
    | (number | Date)
    | ((ctx: Context, payload: SessionDataOf<Data>) => Instant | Promise<Instant>)
    | null
    | undefined
  /**
   * Whether a session that was received is accepted; when not, `session:invalid` and a new session. May be an async function,
   * which is awaited before the handler. In cookie mode a promise of any other function is `ERR_SESSION_ASYNC`.
   */
  valid?: ((ctx: Context, payload: SessionDataOf<Data>) => unknown) | null | undefined
  /** Called before the session is saved, and may change it. May be async with a store. */
  beforeSave?: ((ctx: Context, session: Session<Data>) => unknown) | null | undefined
  /**
   * Checks and types the data. It only checks: what the validator makes of the data is not used. Data that does not
   * pass when a session is read is `session:invalid` and a new session; before it is saved, `ERR_SESSION_SCHEMA`.
   * May be async with a store.
   */
  schema?: StandardSchema<Data> | null | undefined
  /**
   * Which version of your application the data is of: a whole number from 1 on, saved with each session. Data that says none has
   * version 0. Data of a newer version is left alone: `ctx.session` is empty and `degraded`, nothing is saved, the client keeps
   * its cookie, and `session:refused` says `newer`. Needs `upgrade`.
   */
  version?: number | null | undefined
  /**
   * Changes `data` that was saved by the older version `from`, or returns other data, before `notBefore`, `valid`, `schema` and
   * `subject` see it. The data is saved with the next change. Not async. It may be called again with data that it has changed:
   * koa-session 7, and a process without `version`, do not save the version. Needs `version`.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: a function that changes what it is given returns nothing
  upgrade?: ((data: Record<string, unknown>, from: number) => SessionDataOf<Known<Data>> | void) | null | undefined
  /** `true` for a request that is to have no session: nothing is read, and `ctx.session` is `ERR_SESSION_SKIPPED`. */
  skip?: ((ctx: Context) => boolean) | null | undefined
  /**
   * Whether a stored session is read only when `await sessions.load(ctx)` asks for it, where `sessions` is what `session()`
   * gave; before that, `ctx.session` throws `ERR_SESSION_NOT_LOADED`. A store that answers at once (memory, SQLite) is read
   * when `ctx.session` is. A page that does not ask is not extended by `rolling` and `renew`. In cookie mode async functions
   * of `notBefore` and `valid` wait in `load()`, and nothing else changes. Default `false`.
   */
  lazy?: boolean | null | undefined
  /** Where the sessions live. Default: in the cookie. */
  store?: Store | null | undefined
  /** A class whose instances are stores: `new ContextStore(ctx)` for each request. Goes before `store`. */
  ContextStore?: (new (ctx: Context) => Store) | null | undefined
  /**
   * Whose session it is: usually the id of the user who signed in, and `undefined` while nobody has. The stores of this
   * package find the sessions of a subject by it: `store.list(subject)`, `store.destroyAll(subject)` (ASVS 7.4.3, 7.5.2).
   * A whole number stands for its text: 42 and '42' are the same subject.
   * In every mode, `isFresh()` is `false` once the subject is another one. Called when a session that was used is
   * committed, and where it was marked as fresh, or with `notBefore`, also when it is read.
   */
  subject?: ((session: SessionDataOf<Data>) => Subject | null | undefined) | null | undefined
  /**
   * How many sessions a `subject` has at most (ASVS 7.1.2), with a store. `beyond`: `'end-oldest'`, the default, ends those that
   * were made first (`session:ended`, reason `cap`); `'refuse'` signs nobody in: `regenerate()` and `save()` reject with
   * `ERR_SESSION_LIMIT`. Looked at when a session gets a subject. Where the store can't list them, the sign-in fails.
   */
  maxSessions?: { readonly count: number; readonly beyond?: 'end-oldest' | 'refuse' | undefined } | null | undefined
  /**
   * `'end'`: where an id is used that was replaced more than ten seconds before, the session that took its place ends, beside the
   * event `session:reuse`. Needs a store with `retire`. Default: it goes on.
   */
  onReuse?: 'end' | null | undefined
  /**
   * What a request has for a session whose store can't be read: `'throw'`, the default, an error where `ctx.session` is
   * read; `'anonymous'`, an empty session that says `degraded` and is never saved, while the client keeps its own. A
   * change that can't be saved is an error with both. A session that can't be extended is an error with `'throw'` alone.
   */
  onStoreError?: 'throw' | 'anonymous' | null | undefined
  /**
   * How long (ms) a request waits for its store in all: then it is `ERR_SESSION_TIMEOUT`. Each `save()`, `update()` and
   * `regenerate()` of its handler may take as long again. Default 5,000.
   */
  storeTimeout?: number | null | undefined
  /** Carries the id of a stored session in place of the cookie. */
  externalKey?: ExternalKey | null | undefined
  /**
   * The id of a new stored session, which must be unique, and which nobody may be able to guess: it may be sent before
   * the store has answered. Default: a random UUID, version 4 (122 random bits, ASVS 7.2.3).
   */
  genid?: ((ctx: Context) => string) | null | undefined
  /** Stands before the default id; has no effect on a `genid` of your own. Default `''`. */
  prefix?: string | null | undefined
  /** The clock, in milliseconds since the epoch. Default `Date.now`. */
  now?: (() => number) | null | undefined
}

/** The name of the options in 7.x. */
export type SessionOptions<Data extends object = SessionData> = CreateSessionOptions<Data, string>
