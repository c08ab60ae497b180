import { changed, type Members, NO_MEMBERS } from '../session/members.ts'
import type { AskedStore } from './asked-store.ts'
import type { Scope } from './scope.ts'
import type { StoredState } from './stored-state.ts'

const ATTEMPTS = 10

/**
 * Gives up the id `from` of a session that is under `to` by now, and takes over what other requests have written to
 * `from` since this one knew it, under the keys in `keep`, if given. Gives the members that are under `to` then;
 * `undefined`: the session had been ended, or had got another id.
 */
export async function handOver(
  scope: Scope,
  store: AskedStore,
  from: string,
  to: string,
  state: StoredState,
  keep: readonly string[] | undefined,
): Promise<Members | undefined> {
  const { changes } = state
  let { members: before = NO_MEMBERS, version } = state
  let members = state.after()
  for (let attempt = 1; ; attempt++) {
    // Without its version nobody knows what is there. Whoever writes all the time can't hold it up for ever.
    const isUnknown = attempt === 1 && version === undefined
    const outcome = isUnknown ? 'conflict' : await store.retire(scope, from, attempt > ATTEMPTS ? undefined : version)
    if (outcome !== 'conflict') return outcome === 'gone' ? undefined : members
    const record = await store.read(scope, from)
    if (!record || record.retiredAt !== undefined) return undefined
    const { set, unset } = changesOfOthers(before, record.members, isTheirs)
    if (unset.length > 0 || Object.keys(set).length > 0) {
      const patch = { set, unset, lifetime: scope.newLifetime(), keepsEmpty: true }
      if ((await store.patch(scope, to, patch)) !== 'saved') return undefined
      members = changed(members, set, unset)
    }
    before = record.members
    version = record.version
  }

  function isTheirs(name: string): boolean {
    const isMine = changes?.set[name] !== undefined || changes?.unset.includes(name)
    return !isMine && (keep?.includes(name) ?? true)
  }
}

function changesOfOthers(before: Members, after: Members, isTheirs: (name: string) => boolean) {
  const set = Object.entries(after).filter(([name, text]) => text !== before[name] && isTheirs(name))
  const unset = Object.keys(before).filter(name => after[name] === undefined && isTheirs(name))
  return { set: Object.fromEntries(set), unset }
}
