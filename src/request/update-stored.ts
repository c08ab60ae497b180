import { setTimeout as sleep } from 'node:timers/promises'
import { refusePromise } from '../async.ts'
import { SessionError } from '../errors.ts'
import { changed, changesSince, NO_CHANGES } from '../session/members.ts'
import type { Changes, Lifetime, Members } from '../session/model.ts'
import { draftOf, type Session } from '../session/session.ts'
import type { AskedStore } from './asked-store.ts'
import { ownerOf, prepare } from './prepare.ts'
import type { Settings } from './settings.ts'
import { Turns } from './turns.ts'
import { upgradedMembers } from './upgrade.ts'

/** What the store has after an update: nothing any more, where it was `emptied`. */
export interface Updated {
  readonly outcome: 'saved' | 'emptied'
  readonly members: Members
  readonly lifetime: Lifetime
  readonly owner: string | undefined
}

/** What is to be changed, and by what. */
interface Wish {
  readonly ctx: unknown
  readonly settings: Settings
  readonly store: AskedStore
  readonly id: string
  /** What the request has changed itself. */
  readonly mine?: Changes
  /** Absent: what is saved was prepared before. */
  readonly change?: ((draft: Session) => unknown) | undefined
  /** Whether what is left without data is kept. */
  readonly keepsEmpty: boolean
  /** The session that drafts are made of. */
  readonly session: Session
  /** Whether nobody waits for it any more. */
  isAbandoned: boolean
}

const turnsOf = new WeakMap<object, Turns>()
/** With turns, it takes other processes to need a second one. */
const ATTEMPTS = 100
/** The longest pause (ms) before another attempt, so that those of several processes do not meet again. */
const PAUSE = 20

/**
 * Lets `change` change a draft of the session under `id` as it is by now, with what this request has changed (`mine`)
 * in it, and saves that if nobody else has saved since; otherwise begins again. `undefined`: it is not there any more.
 * Throws `ERR_SESSION_CONFLICT`. One that takes too long is abandoned: it saves nothing, and holds nobody up.
 */
export function updateStored(given: Omit<Wish, 'isAbandoned'>): Promise<Updated | undefined> {
  const wish = { ...given, isAbandoned: false }
  const { store, settings, id } = wish
  let leave = () => {}
  const left = new Promise<undefined>(resolve => {
    leave = () => resolve(undefined)
  })
  const turn = turnsFor(settings, store).take(id, () => Promise.race([attempts(wish), left]))
  const updating = store.within('update', id, turn)
  updating.catch(() => {
    wish.isAbandoned = true
    leave()
  })
  return updating
}

/** Those of the store; where each request has a store of its own, those of its class. */
function turnsFor({ config }: Settings, { store }: AskedStore): Turns {
  const key = config.ContextStore ?? store
  const turns = turnsOf.get(key) ?? new Turns()
  turnsOf.set(key, turns)
  return turns
}

async function attempts(wish: Wish): Promise<Updated | undefined> {
  for (let attempt = 1; attempt <= ATTEMPTS && !wish.isAbandoned; attempt++) {
    const updated = await attemptOnce(wish)
    if (updated !== 'conflict') return updated
    await sleep(Math.random() * Math.min(attempt, PAUSE))
  }
  const what = `update() was tried ${ATTEMPTS} times, and each time another request saved the session meanwhile`
  throw new SessionError('ERR_SESSION_CONFLICT', `${what}; nothing was changed, so call it again later`)
}

async function attemptOnce(wish: Wish): Promise<Updated | undefined | 'conflict'> {
  const { ctx, settings, store, id, mine = NO_CHANGES, change, session, keepsEmpty } = wish
  const record = await store.read(id)
  if (!record || record.retiredAt !== undefined) return undefined
  const members = upgradedMembers(settings.config, record)
  // A newer version has it by now.
  if (!members) return undefined
  const draft = draftOf(session, changed(members, mine.set, mine.unset))
  if (change) {
    refusePromise(change(draft), 'update')
    await prepare(ctx, settings.config, draft)
  }
  if (wish.isAbandoned) return undefined
  const { set, unset } = changesSince(record.members, draft) ?? NO_CHANGES
  // Who does not say whose sessions are leaves them to whom they belong.
  const owner = settings.config.subject ? ownerOf(settings.config, draft) : record.subject
  const subject = owner === record.subject ? undefined : (owner ?? null)
  settings.catchUp(record.lifetime, () => draftOf(session, members))
  const lifetime = settings.newLifetime(draft)
  const patch = { set, unset, lifetime, keepsEmpty, version: record.version, subject }
  const outcome = await store.patch(id, patch)
  if (outcome === 'conflict') return outcome
  return outcome === 'gone' ? undefined : { outcome, members: changed(record.members, set, unset), lifetime, owner }
}
