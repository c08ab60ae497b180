import { andThen, orElse } from '../async.ts'
import { digest } from '../codec/digest.ts'
import type { Config } from '../config.ts'
import { endOf } from '../session/lifetime.ts'
import { NO_MEMBERS } from '../session/members.ts'
import type { Lifetime, Loaded, Payload, Refused } from '../session/model.ts'
import { isPayload, NEWER } from '../session/payload.ts'
import { payloadOf, recordOf } from '../stores/record.ts'
import type { StoredRecord } from '../stores/store.ts'
import type { AskedStore } from './asked-store.ts'
import type { Exchange } from './exchange.ts'
import { subjectIn } from './prepare.ts'
import { isRevoked } from './revoked.ts'
import { passesSchema } from './schema.ts'
import { upgradedPayload, versionsBehind } from './upgrade.ts'

/** What `store` has under the id that a client presented, and what is to be made of it. */
export function loadStored(
  exchange: Exchange,
  config: Config,
  store: AskedStore,
  id: string,
): Loaded | Promise<Loaded> {
  if (store.isKeyed) {
    return andThen(store.read(id), record =>
      record?.retiredAt === undefined
        ? examined(exchange.ctx, config, store, id, record?.lifetime, record)
        : retired(exchange, config, store, id, record),
    )
  }
  return andThen(store.get(id), payload => {
    if (payload && !isPayload(payload)) return { fault: 'invalid', reason: 'undecodable', id, value: payload }
    // An empty object has nothing of a session that was saved: an id must not be adopted for it.
    const names = Object.keys(Object(payload))
    if (names.length === 1 && isPayload(payload) && typeof payload._retired === 'number') {
      return retired(exchange, config, store, id, { retiredAt: payload._retired })
    }
    const isThere = isPayload(payload) && names.length > 0
    return isThere
      ? examined(exchange.ctx, config, store, id, payload)
      : { fault: 'missed', reason: 'missing', id, value: payload }
  })
}

type Tombstone = Pick<StoredRecord, 'retiredAt' | 'retiredFor' | 'successor' | 'subject'>

/** How long (ms) requests that were under way when an id was retired may still bring it. */
const UNDER_WAY = 10_000

/** A retired id. Who presents it later than that never received a response, or has stolen the cookie. */
function retired(
  exchange: Exchange,
  config: Config,
  store: AskedStore,
  id: string,
  tombstone: Tombstone,
): Loaded | Promise<Loaded> {
  const { retiredAt, retiredFor, successor, subject } = tombstone
  // A backend may give what is no number, which subtraction may throw for.
  const age = retiredFor ?? (Number.isFinite(retiredAt) ? config.now() - Number(retiredAt) : Number.NaN)
  const isParallel = age < UNDER_WAY
  if (!isParallel) exchange.emit({ type: 'reuse', id, successor, subject })
  const loaded = { fault: 'missed', reason: 'retired', id, isParallel } as const
  return isParallel || config.onReuse !== 'end'
    ? loaded
    : andThen(endFamily(exchange, store, id, tombstone), () => loaded)
}

/** Ends the session that took the place of `id`, whatever its id is by now. Where the store fails, that is told. */
function endFamily(exchange: Exchange, store: AskedStore, id: string, tombstone: Tombstone): void | Promise<void> {
  const { successor, subject } = tombstone
  // Only `destroyAll` says whether there was one.
  const ending = () =>
    subject !== undefined && store.canList ? store.endOne(subject, digest(id)) : andThen(store.destroy(id), () => 1)
  const tellOf = (count: number) => {
    if (count === 0 || successor === undefined || !exchange.hears('ended')) return
    exchange.emit({ type: 'ended', id: undefined, handle: successor, subject, reason: 'reuse' })
  }
  return orElse<void>(
    () => andThen(ending(), tellOf),
    () => {},
  )
}

/** A session that is there: as a `record`, or as a payload, which says its own `lifetime`. */
function examined(
  ctx: unknown,
  config: Config,
  store: AskedStore,
  id: string,
  lifetime: Lifetime | undefined,
  record?: StoredRecord,
): Loaded | Promise<Loaded> {
  // Nothing at all is what some backends give for an id that they do not have: it must not be adopted for it.
  const isTimed = lifetime && (lifetime._expire !== undefined || lifetime._session)
  const isBlank = record && (!isPayload(record.members) || (!isTimed && Object.keys(record.members).length === 0))
  if (!lifetime || isBlank) return { fault: 'missed', reason: 'missing', id }
  const { notBefore, valid, schema } = config
  const isLookedAt = valid || schema || typeof notBefore === 'function'
  const end = endOf(lifetime, config.now(), config.absoluteTimeout)
  const behind = versionsBehind(lifetime, config)
  if (record && !end && behind === 0 && !isLookedAt && !isRevoked(lifetime, notBefore)) {
    const { members, version, subject } = record
    return { id, lifetime, members, version, subject }
  }
  const saved = record ? readable(record) : lifetime
  if (end) return { fault: 'expired', reason: end, id, value: saved }
  if (behind < 0) return { ...NEWER, id }
  const value = saved && behind > 0 ? upgradedPayload(config, saved) : saved
  if (!saved || !value) return { fault: 'invalid', reason: 'undecodable', id }
  // What looks at it may write to it, which the handler sees.
  const one = { id, lifetime, payload: value, version: record?.version, subject: record?.subject }
  const found = behind === 0 ? one : { ...one, stored: (record ?? recordOf(saved)).members }
  return andThen(typeof notBefore === 'function' ? notBefore(ctx, value) : notBefore, instant => {
    if (isRevoked(lifetime, instant)) return revoked(config, store, id, value, record)
    return andThen(valid ? valid(ctx, value) : true, isValid => {
      if (!isValid) return { fault: 'invalid', reason: 'valid', id, value }
      return andThen(passesSchema(schema, value), passes =>
        passes ? found : { fault: 'invalid', reason: 'schema', id, value },
      )
    })
  })
}

/** A session that `notBefore` refuses is ended. Where the store fails, that is told, and it is refused all the same. */
function revoked(
  config: Config,
  store: AskedStore,
  id: string,
  value: Payload,
  record?: StoredRecord,
): Refused | Promise<Refused> {
  const refused = { fault: 'invalid', reason: 'revoked', id, value } as const
  const ended = (isEnded: boolean) => ({
    ...refused,
    isEnded,
    subject: record?.subject ?? subjectIn(config, () => value),
  })
  return orElse<Refused>(
    () => andThen(record ? endRecord(store, id, record) : andThen(store.destroy(id), () => true), ended),
    () => refused,
  )
}

/** Only as it was read: somebody may have signed in since, here or under a new id, to which `destroy` would follow. */
function endRecord(store: AskedStore, id: string, { members, version }: StoredRecord): boolean | Promise<boolean> {
  const names = Object.keys(members)
  // What is removed has to leave it without members: data never has this name.
  const unset = names.length > 0 ? names : ['_meta']
  const patch = { set: NO_MEMBERS, unset, lifetime: {}, keepsEmpty: false, version }
  return andThen(store.patch(id, patch), outcome => outcome === 'emptied')
}

/** What a record says, or nothing where it is no JSON. */
function readable(record: StoredRecord): Record<string, unknown> | undefined {
  try {
    return payloadOf(record)
  } catch {
    return undefined
  }
}
