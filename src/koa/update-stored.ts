import { setTimeout as sleep } from 'node:timers/promises'
import { SessionError } from '../errors.ts'
import type { Lifetime } from '../session/lifetime.ts'
import { type Changes, changed, changesSince, type Members, NO_CHANGES } from '../session/members.ts'
import { fillFrom, Session } from '../session/session.ts'
import type { AskedStore } from './asked-store.ts'
import { ownerOf, prepare } from './prepare.ts'
import type { Scope } from './scope.ts'
import { Turns } from './turns.ts'

/** What the store has after an update. */
export interface Updated {
  readonly members: Members
  readonly lifetime: Lifetime
  readonly owner: string | undefined
}

const turnsOf = new WeakMap<object, Turns>()
/** With turns, it takes other processes to need a second one. */
const ATTEMPTS = 100
/** The longest pause (ms) before another attempt, so that those of several processes do not meet again. */
const PAUSE = 20

/**
 * Lets `change` change a draft of the session under `id` as it is by now, with what this request has changed (`mine`)
 * in it, and saves that if nobody else has saved since; otherwise begins again. `undefined`: it is not there any more.
 * Throws `ERR_SESSION_CONFLICT`.
 */
export function updateStored(
  scope: Scope,
  store: AskedStore,
  id: string,
  mine: Changes = NO_CHANGES,
  change: (draft: Session) => unknown,
): Promise<Updated | undefined> {
  const turns = turnsOf.get(store.store) ?? new Turns()
  turnsOf.set(store.store, turns)
  return store.within(scope, 'update', id, turns.take(id, attempts))

  async function attempts(): Promise<Updated | undefined> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const updated = await attemptOnce()
      if (updated !== 'conflict') return updated
      await sleep(Math.random() * Math.min(attempt, PAUSE))
    }
    throw new SessionError('ERR_SESSION_CONFLICT', `the session was saved by others during ${ATTEMPTS} updates`)
  }

  async function attemptOnce(): Promise<Updated | undefined | 'conflict'> {
    const record = await store.read(scope, id)
    if (!record || record.retiredAt !== undefined) return undefined
    const draft = new Session(scope, false)
    fillFrom(draft, changed(record.members, mine.set, mine.unset))
    await change(draft)
    await prepare(scope, draft)
    const { set, unset } = changesSince(record.members, draft) ?? NO_CHANGES
    const owner = ownerOf(scope, draft)
    const subject = owner === record.subject ? undefined : (owner ?? null)
    const lifetime = scope.newLifetime()
    const patch = { set, unset, lifetime, keepsEmpty: true, version: record.version, subject }
    const outcome = await store.patch(scope, id, patch)
    if (outcome === 'conflict') return outcome
    return outcome === 'saved' ? { members: changed(record.members, set, unset), lifetime, owner } : undefined
  }
}
