import { andThen, promised } from '../async.ts'
import { digest } from '../codec/digest.ts'
import type { Config } from '../config.ts'
import { optionError, SessionError } from '../errors.ts'
import type { Lifetime } from '../session/model.ts'
import type { Patch, Patched, Store, StoredRecord } from '../stores/store.ts'
import { type AskedStore, canList, canRetire } from './asked-store.ts'
import type { Exchange } from './exchange.ts'
import type { StoredState } from './stored-state.ts'

export interface Cap {
  /** How many sessions a subject has at most. */
  readonly count: number
  /** What becomes of one more. Absent: the oldest ends. */
  readonly beyond?: 'end-oldest' | 'refuse'
}

const EXPECTED = 'the option subject beside it, and a store that has list and destroyAll'

/**
 * Throws `ERR_SESSION_OPTION` where the store can't do what `onReuse` or `maxSessions` ask for, or nobody could count. `made`: that
 * of a request, as a `ContextStore` is not known before.
 */
export function checkStore({ onReuse, maxSessions, subject, ContextStore, store: shared }: Config, made?: Store): void {
  const store = made ?? (ContextStore ? undefined : shared)
  const can = (isAble: (store: Store) => boolean) => (store ? isAble(store) : ContextStore !== undefined)
  if (onReuse && !can(canRetire)) throw optionError('onReuse', onReuse, 'a store that has retire')
  if (maxSessions && !(subject && can(canList))) throw optionError('maxSessions', maxSessions, EXPECTED)
}

/** A session that a subject gets in the store. */
export interface Owned {
  readonly store: AskedStore
  readonly exchange: Exchange
  readonly state: StoredState
  readonly cap: Cap
  readonly owner: string
  readonly id: string
  /** The ids that it takes the place of, which do not count. */
  readonly replaced: readonly (string | undefined)[]
}

/** Creates it, or rejects. What is refused was made, and is taken back. */
export function createCapped(owned: Owned, record: StoredRecord): Promise<boolean> {
  const { store, id } = owned
  return capped(owned, async () => {
    const isMade = await store.create(id, record)
    if (isMade) await enforce(owned, true).catch(error => taken(owned, error))
    return isMade
  })
}

/** Patches it, or rejects. What others were faster than is taken back. */
export function patchCapped(owned: Owned, patch: Patch): Promise<Patched> {
  const { store, cap, owner, id } = owned
  return capped(owned, async () => {
    const others = (await store.list(owner)).filter(({ handle }) => handle !== digest(id))
    if (cap.beyond === 'refuse' && others.length >= cap.count) throw limitError(cap)
    const outcome = await store.patch(id, patch)
    if (outcome === 'saved') await enforce(owned, false).catch(error => takenBack(owned, patch.lifetime, error))
    return outcome
  })
}

/**
 * After it was changed as it is by now: a save with `lifetime` is taken back where there is no room. What it was before
 * `update()` (`undefined`) nobody knows by now: it ends.
 */
export function updateCapped(owned: Owned, lifetime: Lifetime | undefined): Promise<void> {
  const undo = (error: unknown) => (lifetime ? takenBack(owned, lifetime, error) : taken(owned, error, true))
  return capped(owned, () => enforce(owned, false).catch(undo))
}

/** The final commit does not try again what had no room. */
async function capped<Value>({ state, owner }: Owned, save: () => Promise<Value>): Promise<Value> {
  state.refused = undefined
  try {
    return await save()
  } catch (error) {
    if (error instanceof SessionError && error.code === 'ERR_SESSION_LIMIT') state.refused = owner
    throw error
  }
}

async function takenBack({ store, state, id }: Owned, lifetime: Lifetime, error: unknown): Promise<never> {
  await store.patch(id, { ...state.undoing, lifetime, keepsEmpty: true })
  throw error
}

/** What is not to be would count. `isKnown`: it was there before, and its end is told. */
async function taken(owned: Owned, error: unknown, isKnown = false): Promise<never> {
  const { store, id } = owned
  await promised(() => andThen(store.destroy(id), () => isKnown && tell(owned, digest(id)))).catch(() => {})
  throw error
}

/**
 * Ends what is beyond the cap, or rejects with `ERR_SESSION_LIMIT`. Everybody does so after the store has their session: of
 * parallel sign-ins the one that lists last sees all of them. A session that was there keeps its place, however old it is.
 */
async function enforce(owned: Owned, isMade: boolean): Promise<void> {
  const { store, cap, owner, id, replaced } = owned
  const [own, others] = [digest(id), replaced.map(one => one && digest(one))]
  const all = (await store.list(owner)).filter(({ handle }) => !others.includes(handle))
  if (all.length <= cap.count) return
  if (cap.beyond === 'refuse') throw limitError(cap)
  if (!isMade) all.sort((one, other) => Number(other.handle === own) - Number(one.handle === own))
  for (const { handle } of all.slice(cap.count)) {
    // Others have signed in at the same time, and are newer.
    if (handle === own) throw limitError(cap)
    if ((await store.endOne(owner, handle)) !== 0) tell(owned, handle)
  }
}

function tell({ exchange, owner: subject }: Owned, handle: string): void {
  if (exchange.hears('ended')) exchange.emit({ type: 'ended', id: undefined, handle, subject, reason: 'cap' })
}

function limitError({ count }: Cap): SessionError {
  const what = `the user has ${count} sessions, as many as the option maxSessions allows`
  return new SessionError('ERR_SESSION_LIMIT', `${what}: end one of them first, by store.destroyAll(subject, { only })`)
}
