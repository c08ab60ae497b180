import { changed, type Members, NO_MEMBERS } from '../session/members.ts'
import type { AskedStore } from './asked-store.ts'
import { draftOf } from './draft.ts'
import { ownerOf } from './prepare.ts'
import type { Scope } from './scope.ts'
import type { StoredState } from './stored-state.ts'

/** An id that another one takes the place of, and what the store had under it then, as far as the request knew. */
export interface Former {
  readonly id: string
  readonly members: Members | undefined
  readonly version: number | undefined
  /** The keys that go over; `undefined`: all. */
  readonly keep: readonly string[] | undefined
}

/** What is under the new id once the old one was given up. */
export interface HandedOver {
  readonly members: Members
  readonly owner: string | undefined
}

const ATTEMPTS = 10

/**
 * Gives up the id of `former`, a session that is under `to` by now, and takes over what other requests have written to
 * it since this one knew it. It may be done again where it failed. `undefined`: the session had been ended, or had got
 * another id.
 */
export async function handOver(
  scope: Scope,
  store: AskedStore,
  former: Former,
  to: string,
  state: StoredState,
): Promise<HandedOver | undefined> {
  const { id: from, keep, members: known = NO_MEMBERS } = former
  const mine = state.after()
  const isTheirs = (name: string) => isSame(known, mine, name) && (keep?.includes(name) ?? true)
  let [before, members, { version }, { owner }] = [known, mine, former, state]
  if (!store.canRetire) {
    // Such a store can tell at least whether the session is there just before it is asked to forget it.
    if (store.isKeyed && !(await store.read(scope, from))) return undefined
    await store.destroy(scope, from)
    return { members, owner }
  }
  for (let attempt = 1; ; attempt++) {
    // Without its version nobody knows what is there. Whoever writes all the time can't hold it up for ever.
    const retire = { version: attempt > ATTEMPTS ? undefined : version, successor: to }
    const outcome = attempt === 1 && version === undefined ? 'conflict' : await store.retire(scope, from, retire)
    if (outcome !== 'conflict') return outcome === 'gone' ? undefined : { members, owner }
    const record = await store.read(scope, from)
    if (!record || record.retiredAt !== undefined) return undefined
    const { set, unset } = changesOfOthers(before, record.members, isTheirs)
    if (unset.length > 0 || Object.keys(set).length > 0) {
      members = changed(members, set, unset)
      const told = owner
      owner = ownerAmong(scope, members, told)
      const subject = owner === told ? undefined : (owner ?? null)
      const patch = { set, unset, lifetime: scope.settings.newLifetime(), keepsEmpty: true, subject }
      if ((await store.patch(scope, to, patch)) !== 'saved') return undefined
    }
    before = record.members
    version = record.version
  }
}

function changesOfOthers(before: Members, after: Members, isTheirs: (name: string) => boolean) {
  // What can't be read is no text, and no session is to get it.
  const set = Object.entries(after).filter(([name, text]) => text && !isSame(before, after, name) && isTheirs(name))
  const unset = Object.keys(before).filter(name => !Object.hasOwn(after, name) && isTheirs(name))
  return { set: Object.fromEntries(set), unset }
}

/** Whether both have the same under `name`, or both nothing: what an object inherits is none of it. */
function isSame(one: Members, other: Members, name: string): boolean {
  return Object.hasOwn(one, name) === Object.hasOwn(other, name) && one[name] === other[name]
}

/** Whose session it is with these `members`, which others may have signed in or out. */
function ownerAmong(scope: Scope, members: Members, known: string | undefined): string | undefined {
  if (!scope.config.subject) return known
  return ownerOf(scope, draftOf(scope, members))
}
