/** Ends sessions. Says how many there were. */

import { fingerprintOf } from '../../codec/digest.ts'
import type { RecordStore } from '../../stores/rows.ts'
import { Failure } from './failure.ts'
import type { EndedShown } from './lines.ts'
import type { Ending } from './plan.ts'

export interface Stores {
  readonly store: RecordStore
  /** Where ids are hashed: the same sessions under their handles, which is what they are kept under. */
  readonly byHandle: RecordStore | undefined
  /** Called with a session for which the store does not call `onEnded` itself. */
  ended(session: EndedShown): void
}

/** Rejects with a `Failure` where there is no session of a handle. */
export async function endSessions(which: Ending, stores: Stores): Promise<number> {
  const { store } = stores
  if (which.of === 'all') return store.clear()
  if (which.of === 'handle') return endOne(which.handle, stores)
  const { subject, except } = which
  return except === undefined ? store.destroyAll(subject) : endOthers(store, subject, except)
}

/** Those that are there now: whoever gets a new id meanwhile ends under that. */
async function endOthers(store: RecordStore, subject: string, except: string): Promise<number> {
  let count = 0
  for (const only of await othersOf(store, subject, except)) count += await store.destroyAll(subject, { only })
  return count
}

/** The handles of the sessions of `subject`, without `except`. Rejects with a `Failure` where that is none of them. */
export async function othersOf(store: RecordStore, subject: string, except: string | undefined) {
  const handles = (await store.list(subject)).map(({ handle }) => handle)
  if (except !== undefined && !handles.includes(except))
    throw new Failure('the session of --except is not one of the subject: nothing was ended')
  return handles.filter(handle => handle !== except)
}

async function endOne(handle: string, { store, byHandle, ended }: Stores): Promise<number> {
  const found = await (byHandle ? whoHas(handle, byHandle) : search(handle, store))
  if (!found) throw new Failure('there is no session with this handle: it may have ended, or got a new one')
  const { subjectHash } = found
  if (subjectHash !== undefined) return store.destroyAll({ subjectHash }, { only: handle })
  if (!byHandle) throw new Failure('with --plain-ids only the session of a subject can be ended by its handle')
  await byHandle.destroy(handle, { ctx: undefined })
  ended({ id: fingerprintOf(handle) })
  return 1
}

interface Found {
  readonly subjectHash: string | undefined
}

/** Of a session without a subject that has got a new id, nobody can say under which handle it is now. */
async function whoHas(handle: string, byHandle: RecordStore): Promise<Found | undefined> {
  const record = await byHandle.read(handle, { ctx: undefined, rolling: false })
  const { subject: subjectHash, retiredAt } = record ?? {}
  return record && (subjectHash !== undefined || retiredAt === undefined) ? { subjectHash } : undefined
}

async function search(handle: string, store: RecordStore): Promise<Found | undefined> {
  for await (const session of store.all()) if (session.handle === handle) return session
  return undefined
}
