import { randomUUID } from 'node:crypto'
import { recordOf } from './record.ts'
import type { KeyedStore, Store, StoreCall, StoredPayload, StoredRecord, StoreGetCall } from './store.ts'

/**
 * A record that was moved and has not been proved to be alive has a member whose name begins so, another one each time:
 * whoever removes it can't mean the mark of a later copy.
 */
const MOVING = '_moving:'
/** A record that is alive, and of which the old store may still have a copy, has one of these. */
const MOVED = '_moved:'
/** A store outlives the session by this much (ms), as in the middleware. */
const GRACE = 10_000

/** What `from` has under an id, and what `to` has, to which it moves the session first. See `migrate`. */
export function reader(from: Store, to: KeyedStore, ttl: number, now: () => number) {
  /** What `from` has. */
  async function fetch(id: string, call: StoreCall): Promise<StoredRecord | undefined> {
    const payload = parsed(await from.get(id, ttl, { rolling: false, ...call }))
    const isOver = typeof payload?._expire === 'number' && payload._expire < now()
    return payload && !isOver ? recordIn(payload) : undefined
  }

  async function read(id: string, call: StoreCall): Promise<StoredRecord | undefined> {
    const getCall = { rolling: false, ...call }
    let record = await to.read(id, getCall)
    if (!record) {
      const old = await fetch(id, call)
      if (old?.retiredAt !== undefined) return old
      if (old) await to.create(id, markedAs(old), left(old), call)
      record = await to.read(id, getCall)
    }
    while (record && marksIn(record).length > 0) record = await settle(id, record, getCall)
    return record
  }

  /** What is there after one step: a marked record is proved to be alive, or destroyed; then the copy of the old store goes. */
  async function settle(id: string, marked: StoredRecord, call: StoreGetCall): Promise<StoredRecord | undefined> {
    if (!isDoubtful(marked)) {
      await from.destroy(id, call)
      return replaceMarks(id, marked, {}, call)
    }
    const old = await fetch(id, call)
    if (old && old.retiredAt === undefined) return replaceMarks(id, marked, { [MOVED + randomUUID()]: 'true' }, call)
    const record = await to.read(id, call)
    if (!record || !isDoubtful(record)) return record
    await to.destroy(id, call)
    return undefined
  }

  /** What is there once the members of `set` have the place of the marks of `marked`, unless others were faster. */
  async function replaceMarks(id: string, marked: StoredRecord, set: StoredRecord['members'], call: StoreGetCall) {
    const { lifetime, version } = marked
    await to.patch(id, { set, unset: marksIn(marked), lifetime, keepsEmpty: true, version }, left(marked), call)
    return to.read(id, call)
  }

  /** How long (ms) the session is still to be kept. */
  function left({ lifetime: { _expire, _maxAge } }: StoredRecord): number {
    if (Number.isFinite(_expire)) return Number(_expire) - now() + GRACE
    return Number.isFinite(_maxAge) ? Number(_maxAge) + GRACE : ttl
  }

  return { fetch, read }
}

function markedAs(old: StoredRecord): StoredRecord {
  return { ...old, members: { ...old.members, [MOVING + randomUUID()]: 'true' } }
}

function marksIn({ members }: StoredRecord): readonly string[] {
  return Object.keys(members).filter(name => name.startsWith(MOVING) || name.startsWith(MOVED))
}

/** Whether nobody knows that it is alive. */
function isDoubtful({ members }: StoredRecord): boolean {
  return Object.keys(members).some(name => name.startsWith(MOVING))
}

/** An object with members: some backends give an empty one for what they do not have. */
function parsed(given: unknown): StoredPayload | undefined {
  try {
    const value = typeof given === 'string' ? JSON.parse(given) : given
    const isPayload = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isPayload && Object.keys(value).length > 0 ? value : undefined
  } catch {
    return undefined
  }
}

/** What JSON can't hold is nothing. */
function recordIn(payload: StoredPayload): StoredRecord | undefined {
  const { _retired } = payload
  if (typeof _retired === 'number' && Object.keys(payload).length === 1)
    return { members: {}, lifetime: {}, retiredAt: _retired }
  try {
    return recordOf(payload)
  } catch {
    return undefined
  }
}
