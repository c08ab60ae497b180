/** What makes a store of a table: the ids' names, the three methods of koa-session 7, the sessions of one subject. */

import { digest } from '../codec/digest.ts'
import { after, checkOption } from './after.ts'
import { payloadOf, recordOf } from './record.ts'
import type { RecordStore, Row, RowOptions, Rows } from './rows.ts'
import { sealedRows } from './sealed-rows.ts'
import type { Answer, ListedSession, Retire, Store, StoredPayload, StoredRecord, Which } from './store.ts'

/** How often the sessions of a subject are looked for that are to end. Who signs in all the time can't hold it up. */
const PASSES = 10

/** A store on `rows`. `maker` is the function that an error names. Throws `ERR_SESSION_OPTION`. */
export function recordStore(maker: string, plainRows: Rows, options: RowOptions): RecordStore {
  const { hashIds = true, seal } = options
  checkOption(maker, 'hashIds', hashIds, typeof hashIds === 'boolean', 'true or false')
  const rows = seal ? sealedRows(maker, plainRows, seal) : plainRows
  // One request asks several times.
  let lastId = ''
  let lastName = ''

  function nameOf(id: string): string {
    if (!hashIds) return id
    if (id !== lastId) {
      lastName = digest(id)
      lastId = id
    }
    return lastName
  }

  const handleOf = hashIds ? (name: string) => name : digest

  const plain: Pick<Store, 'get' | 'set' | 'destroy'> = {
    get: id => after(rows.read(nameOf(id)), payloadIn),
    set: (id, payload, ttl) => rows.replace(nameOf(id), recordOf(payload), ttl),
    destroy: id => after(rows.remove([nameOf(id)]), () => undefined),
  }

  return {
    ...plain,
    plain,
    read: id => rows.read(nameOf(id)),
    create: (id, record, ttl) => rows.create(nameOf(id), record, ttl),
    patch: (id, patch, ttl) => rows.patch(nameOf(id), patch, ttl),
    touch: (id, lifetime, ttl) => rows.touch(nameOf(id), lifetime, ttl),
    retire: (id, { version }: Retire, ttl) => rows.retire(nameOf(id), ttl, version),

    list: subject =>
      after(rows.list(digest(subject)), found =>
        found.map(row => listed(row, handleOf)).sort((one, other) => one.createdAt - other.createdAt),
      ),

    destroyAll(subject, { except, only }: Which = {}) {
      const spared = except === undefined ? undefined : nameOf(except)
      const isEnded = (name: string) => name !== spared && (only === undefined || handleOf(name) === only)
      return removeAll(rows, digest(subject), isEnded, PASSES)
    },
  }
}

/** One that is given a new id meanwhile is listed under it before it gives the old one up: then it takes another pass. */
function removeAll(rows: Rows, subject: string, isEnded: (name: string) => boolean, passes: number): Answer<number> {
  return after(rows.list(subject), found => {
    const names = found.map(({ name }) => name).filter(isEnded)
    if (names.length === 0) return 0
    return after(rows.remove(names), count =>
      passes === 1 ? count : after(removeAll(rows, subject, isEnded, passes - 1), more => count + more),
    )
  })
}

function listed(
  { name, record, createdAt, seenAt, expiresAt }: Row,
  handleOf: (name: string) => string,
): ListedSession {
  const data = payloadIn({ members: record.members, lifetime: {} }) ?? {}
  return { handle: handleOf(name), createdAt, seenAt, expiresAt, data }
}

/** What is no JSON is nothing. */
function payloadIn(record: StoredRecord | undefined): StoredPayload | undefined {
  try {
    return record && payloadOf(record)
  } catch {
    return undefined
  }
}
