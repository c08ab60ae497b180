import { changed, changesBetween, isSameMember, NO_MEMBERS } from '../session/members.ts'
import type { Members } from '../session/model.ts'
import { draftOf, type Session } from '../session/session.ts'
import type { AskedStore } from './asked-store.ts'
import type { Former as FormerId } from './custody.ts'
import { ownerOf } from './prepare.ts'
import type { Settings } from './settings.ts'
import type { StoredState } from './stored-state.ts'
import { upgradedMembers } from './upgrade.ts'

/** An id that a new one takes the place of, and what the store had under it then, as far as the request knew. */
export interface Former extends FormerId {
  members: Members | undefined
  /** `undefined`: nobody knows what is there by now. */
  version: number | undefined
  /** The keys that go over to the new id; `undefined`: all. */
  keep: readonly string[] | undefined
  /** Whether this request signs somebody in. */
  isSignIn: boolean
  /** How often others were faster. */
  attempts: number
}

/** A session on its way from the id of `former` to another one. */
interface HandOver {
  readonly former: Former
  readonly to: string | undefined
  readonly session: Session
  readonly state: StoredState
}

/** Who writes all the time can't hold it up for ever: after so many attempts the id is retired whatever was written. */
const ATTEMPTS = 10

/**
 * Retires the id of `former`, whose place `successor` has. `conflict`: what is under it has to be merged first. `gone`:
 * the session was ended; `superseded`: it had got another id.
 */
export async function retire(
  store: AskedStore,
  former: Former,
  successor: string,
): Promise<'saved' | 'gone' | 'conflict' | 'superseded'> {
  const { id, version, attempts } = former
  if (!store.canRetire) {
    // Such a store can tell at least whether the session is there just before it is asked to destroy it.
    // After a destroy without an answer nobody can tell whose it was: an ended session does not come back.
    if (store.isKeyed && !(await store.read(id))) return 'gone'
    await store.destroy(id)
    return 'saved'
  }
  if (version === undefined && attempts === 0) return 'conflict'
  const answer = await store.retire(id, attempts > ATTEMPTS ? { successor } : { version, successor })
  if (answer !== 'gone') return answer
  return (await store.read(id))?.retiredAt === undefined ? 'gone' : 'superseded'
}

/**
 * Leaves the session, and the record under `to`, if there is one, with what this request has set since it knew `former`, if that says who
 * signs in: they have proved who they are, whatever became of the session before, and get nothing of that. Says whether it
 * does: with the option `subject` that is the same user then; without, it is all that the session has.
 */
export async function leaveAlone(
  settings: Settings,
  store: AskedStore,
  { former, to, session, state }: HandOver,
): Promise<boolean> {
  const { members: known = NO_MEMBERS } = former
  const mine = state.after()
  const isOurs = (name: string) => !isSameMember(known, mine, name)
  const members = Object.fromEntries(Object.entries(mine).filter(([name]) => isOurs(name)))
  if (Object.keys(members).length === 0) return false
  const alone = draftOf(session, members)
  const owner = ownerOf(settings.config, alone)
  const unset = Object.keys(mine).filter(name => !isOurs(name))
  if (settings.config.subject ? owner === undefined || owner !== state.owner : unset.length > 0) return false
  if (to !== undefined && unset.length > 0) {
    const patch = { set: NO_MEMBERS, unset, lifetime: settings.newLifetime(alone), keepsEmpty: false }
    if ((await store.patch(to, patch)) !== 'saved') return false
  }
  state.adopt(session, members, owner)
  return true
}

/**
 * Writes to `to`, where the session is by now, what other requests have written under the id of `former` since this one
 * knew it. Says whether both are there. `session` and `state` have it then, too.
 */
export async function merge(
  settings: Settings,
  store: AskedStore,
  { former, to, session, state }: HandOver,
): Promise<boolean> {
  const record = await store.read(former.id)
  if (!record || to === undefined) return false
  former.attempts++
  // Whether it was this request that retired it, whose answer was lost, only the store can tell.
  if (record.retiredAt !== undefined) {
    former.attempts = ATTEMPTS + 1
    return true
  }
  const found = upgradedMembers(settings.config, record)
  // A newer version has it by now.
  if (!found) return false
  const { members: known = NO_MEMBERS, keep } = former
  const mine = state.after()
  // What this request has set and removed again is its own, too.
  const isMine = (name: string) => !isSameMember(known, mine, name) || !isSameMember(known, state.stored, name)
  const isTheirs = (name: string) => !isMine(name) && (keep?.includes(name) ?? true)
  const theirs = changesBetween(known, found, isTheirs)
  if (theirs.unset.length > 0 || Object.keys(theirs.set).length > 0) {
    const members = changed(mine, theirs.set, theirs.unset)
    const merged = draftOf(session, members)
    const owner = settings.config.subject ? ownerOf(settings.config, merged) : state.owner
    const subject = owner === state.owner ? undefined : (owner ?? null)
    // With what this request has changed and not saved yet, which is in `members`.
    const changes = changesBetween(state.stored, members)
    const patch = { ...changes, lifetime: settings.newLifetime(merged), keepsEmpty: true, subject }
    if ((await store.patch(to, patch)) !== 'saved') return false
    state.adopt(session, members, owner)
  }
  // Not before they are written: otherwise they would be lost where that fails.
  former.members = found
  former.version = record.version
  return true
}
