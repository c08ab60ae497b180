import { setTimeout as sleep } from 'node:timers/promises'
import { SessionError } from '../errors.ts'
import { changed, changesSince, NO_CHANGES } from '../session/members.ts'
import type { Changes, Lifetime, Members } from '../session/model.ts'
import type { Session } from '../session/session.ts'
import type { AskedStore } from './asked-store.ts'
import { refusePromise } from './await.ts'
import { draftOf } from './draft.ts'
import { ownerOf, prepare } from './prepare.ts'
import type { Scope } from './scope.ts'
import { Turns } from './turns.ts'

/** What the store has after an update: nothing any more, where it was `emptied`. */
export interface Updated {
  readonly outcome: 'saved' | 'emptied'
  readonly members: Members
  readonly lifetime: Lifetime
  readonly owner: string | undefined
}

/** What is to be changed, and by what. */
interface Wish {
  readonly scope: Scope
  readonly store: AskedStore
  readonly id: string
  /** What the request has changed itself. */
  readonly mine: Changes
  readonly change: (draft: Session) => unknown
  /** Says that nobody waits for it any more. */
  readonly given: { up: boolean }
}

const turnsOf = new WeakMap<object, Turns>()
/** With turns, it takes other processes to need a second one. */
const ATTEMPTS = 100
/** The longest pause (ms) before another attempt, so that those of several processes do not meet again. */
const PAUSE = 20

/**
 * Lets `change` change a draft of the session under `id` as it is by now, with what this request has changed (`mine`)
 * in it, and saves that if nobody else has saved since; otherwise begins again. `undefined`: it is not there any more.
 * Throws `ERR_SESSION_CONFLICT`. One that takes too long is given up: it saves nothing, and holds nobody up.
 */
export function updateStored(
  scope: Scope,
  store: AskedStore,
  id: string,
  mine: Changes = NO_CHANGES,
  change: (draft: Session) => unknown,
): Promise<Updated | undefined> {
  const wish = { scope, store, id, mine, change, given: { up: false } }
  let leave = () => {}
  const left = new Promise<undefined>(resolve => {
    leave = () => resolve(undefined)
  })
  const turn = turnsFor(scope, store).take(id, () => Promise.race([attempts(wish), left]))
  const updating = store.within(scope, 'update', id, turn)
  updating.catch(() => {
    wish.given.up = true
    leave()
  })
  return updating
}

/** Those of the store; where each request has a store of its own, those of its class. */
function turnsFor({ config }: Scope, { store }: AskedStore): Turns {
  const key = config.ContextStore ?? store
  const turns = turnsOf.get(key) ?? new Turns()
  turnsOf.set(key, turns)
  return turns
}

async function attempts(wish: Wish): Promise<Updated | undefined> {
  for (let attempt = 1; attempt <= ATTEMPTS && !wish.given.up; attempt++) {
    const updated = await attemptOnce(wish)
    if (updated !== 'conflict') return updated
    await sleep(Math.random() * Math.min(attempt, PAUSE))
  }
  throw new SessionError('ERR_SESSION_CONFLICT', `the session was saved by others during ${ATTEMPTS} updates`)
}

async function attemptOnce({ scope, store, id, mine, change, given }: Wish): Promise<Updated | undefined | 'conflict'> {
  const record = await store.read(scope, id)
  if (!record || record.retiredAt !== undefined) return undefined
  const draft = draftOf(scope, changed(record.members, mine.set, mine.unset))
  refusePromise(change(draft), 'update')
  await prepare(scope, draft)
  if (given.up) return undefined
  const { set, unset } = changesSince(record.members, draft) ?? NO_CHANGES
  // Who does not say whose sessions are leaves them to whom they belong.
  const owner = scope.config.subject ? ownerOf(scope, draft) : record.subject
  const subject = owner === record.subject ? undefined : (owner ?? null)
  scope.settings.catchUp(record.lifetime, scope.isForced)
  const lifetime = scope.settings.newLifetime()
  const patch = { set, unset, lifetime, keepsEmpty: false, version: record.version, subject }
  const outcome = await store.patch(scope, id, patch)
  if (outcome === 'conflict') return outcome
  return outcome === 'gone' ? undefined : { outcome, members: changed(record.members, set, unset), lifetime, owner }
}
