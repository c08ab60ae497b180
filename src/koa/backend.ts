import { decode, decodeText, encode, encodeText } from '../codec/json.ts'
import type { Config } from '../config.ts'
import { SessionError } from '../errors.ts'
import { isExpired, isPayload, type Lifetime, type Loaded, NOTHING, pack, packedEnd } from '../session/payload.ts'
import type { Session, Snapshot } from '../session/session.ts'
import type { Store } from '../stores/store.ts'
import { andThen, refusePromise } from './await.ts'
import { checkSchema, passesSchema } from './schema.ts'
import type { Scope } from './scope.ts'

/**
 * Turns what the client carries into a payload and back. There are two of them, and nothing else asks which one it
 * has. Where a method gives no promise, its work is done when it returns.
 */
export interface Backend {
  /** Whether loading takes a round trip, so that it is done before the handler runs. */
  readonly waits: boolean
  /** An id for a new session, where it needs one. */
  newId(scope: Scope): string | undefined
  /** What is behind the value that the client presented. */
  load(scope: Scope, presented: string | undefined): Loaded | Promise<Loaded>
  /** Puts the session to rest, and has the client carry it. */
  save(scope: Scope, session: Session): void | Promise<void>
  /** The same, under a new id; the old one is forgotten. */
  replace(scope: Scope, session: Session): void | Promise<void>
  /** Ends the session, for the client too. */
  destroy(scope: Scope): void | Promise<void>
  /** Does at once what has to leave with the headers, of a save (or with `null` a destroy) that is still to come. */
  announce(scope: Scope, session: Session | null): void
}

/** A session that is to be put to rest: its data, their text, and its lifetime. */
export interface AtRest extends Snapshot {
  readonly lifetime: Lifetime
}

/** The whole session is in the cookie. */
export const cookieBackend: Backend = {
  waits: false,

  newId: () => undefined,

  load(scope, presented) {
    const { ctx, config } = scope
    if (presented === undefined) return NOTHING
    const text = config.decode === decode ? decodeText(presented) : undefined
    const payload = refusePromise(decoded(scope, presented, text), 'decode')
    if (payload === UNDECODABLE) return NOTHING
    if (!payload) return { fault: 'missed', value: payload }
    if (!isPayload(payload)) return NOTHING
    if (isExpired(payload, config.now())) return { fault: 'expired', value: payload }
    const isValid =
      (!config.valid || refusePromise(config.valid(ctx, payload), 'valid')) &&
      refusePromise(passesSchema(config.schema, payload), 'schema')
    // What looks at the payload may write to it; and another encode may not write what this text is.
    const read = config.valid || config.encode !== encode ? undefined : text
    return isValid ? { payload, text: read } : { fault: 'invalid', value: payload }
  },

  save(scope, session) {
    const { ctx, config, reply } = scope
    if (reply.hasLeft) return reply.late()
    refusePromise(config.beforeSave?.(ctx, session), 'beforeSave')
    const rest = scope.atRest(session)
    refusePromise(checkSchema(config.schema, rest.text), 'schema')
    reply.carry(encoded(config, rest))
    scope.known.committed(rest.text, rest.lifetime)
  },

  replace(scope, session) {
    return this.save(scope, session)
  },

  destroy(scope) {
    if (scope.reply.hasLeft) return scope.reply.late()
    scope.reply.drop()
    scope.known.forgotten()
  },

  announce(scope, session) {
    if (session) this.save(scope, session)
    else this.destroy(scope)
  },
}

const UNDECODABLE = Symbol('undecodable')

/** What the cookie says; `text` is its JSON, where the default codec wrote it. */
function decoded(scope: Scope, presented: string, text: string | undefined): unknown {
  try {
    return text === undefined ? scope.config.decode(presented) : JSON.parse(text)
  } catch (error) {
    if (!(error instanceof Error) || error instanceof SyntaxError) return UNDECODABLE
    // The next request would only throw again.
    scope.reply.drop()
    throw error
  }
}

function encoded({ encode: given }: Config, { data, text, lifetime }: AtRest): string {
  if (given === encode) return encodeText(text.slice(0, -1), packedEnd(text, lifetime))
  const value = refusePromise(given(pack(data, lifetime)), 'encode')
  if (typeof value === 'string') return value
  throw new SessionError('ERR_SESSION_ENCODE', `encode gave a ${typeof value}, expected a string`)
}

/** A store outlives the session by this much (ms), so that one that has expired is seen to have (as in 7.x). */
const GRACE = 10_000

/**
 * The session is in a store, and the client carries its id. The store is made when it is needed first: one that can't
 * be made is like one that is down.
 */
export function storeBackend(makeStore: () => Store): Backend {
  let made: Store | undefined
  const store = (): Store => {
    made ??= makeStore()
    return made
  }

  return {
    waits: true,

    newId({ ctx, config }) {
      const id = refusePromise(config.genid(ctx), 'genid')
      if (typeof id === 'string' && id !== '') return id
      const what = id === '' ? 'an empty string' : typeof id
      throw new SessionError('ERR_SESSION_ID', `genid gave ${what}, expected an id`)
    },

    load(scope, id) {
      if (id === undefined) return NOTHING
      const { ctx, config } = scope
      const lifetime = config.maxAge === 'session' ? config.ttl : config.maxAge
      const value = store().get(id, lifetime, { ctx, rolling: config.rolling })
      return andThen(value, found => examined(scope, id, found))
    },

    save(scope, session) {
      const { ctx, config, known } = scope
      const id = scope.nameIt()
      refuseUnreachable(scope, id)
      known.storingId = id
      return andThen(config.beforeSave?.(ctx, session), () => {
        const rest = scope.atRest(session)
        return andThen(checkSchema(config.schema, rest.text), () =>
          andThen(set(scope, id, rest), () => {
            scope.reply.carry(id)
            known.committed(rest.text, rest.lifetime)
            if (known.replacedId === undefined) return
            return andThen(store().destroy(known.replacedId, { ctx }), () => {
              known.replacedId = undefined
            })
          }),
        )
      })
    },

    replace(scope, session) {
      const { known } = scope
      const id = this.newId(scope)
      refuseUnreachable(scope, id)
      known.id = id
      known.replacedId ??= known.storedId
      return this.save(scope, session)
    },

    async destroy(scope) {
      const { ctx } = scope
      const { storedId, replacedId } = scope.known
      scope.reply.drop()
      for (const id of [storedId, replacedId]) if (id !== undefined) await store().destroy(id, { ctx })
      scope.known.forgotten()
    },

    announce(scope, session) {
      if (!session) return scope.reply.drop()
      scope.reply.carry(scope.nameIt())
    },
  }

  function set({ ctx, config, known, maxAge }: Scope, id: string, { data, text, lifetime }: AtRest): unknown {
    const ttl = maxAge === 'session' ? config.ttl : maxAge + GRACE
    const changed = id !== known.storedId || !known.hasText(text)
    return store().set(id, pack(data, lifetime), ttl, { ctx, rolling: config.rolling, changed })
  }
}

/** What is to be made of what a store has under `id`. */
function examined({ ctx, config }: Scope, id: string, value: unknown): Loaded | Promise<Loaded> {
  // An empty object has nothing of a session that was saved: an id must not be adopted for it.
  if (!value || (isPayload(value) && Object.keys(value).length === 0)) return { fault: 'missed', id, value }
  if (!isPayload(value)) return { fault: 'invalid', id, value }
  if (isExpired(value, config.now())) return { fault: 'expired', id, value }
  const { valid, schema } = config
  return andThen(valid ? valid(ctx, value) : true, isValid =>
    andThen(isValid && passesSchema(schema, value), isGood =>
      isGood ? { payload: value, id } : { fault: 'invalid', id, value },
    ),
  )
}

/** A new id that can't reach its client would be a session that nobody can use. */
function refuseUnreachable({ presented, reply }: Scope, id: string | undefined): void {
  if (!reply.hasLeft || id === presented.value || id === reply.carried) return
  const advice = 'use the session before the response begins'
  throw new SessionError('ERR_SESSION_HEADERS_SENT', `the headers left before the id of a new session; ${advice}`)
}
