import { SessionError } from '../../errors.ts'
import { after, checkAnswer } from '../after.ts'
import type { Removed, Row, Rows, Tombstone } from '../rows.ts'
import type { Answer, Patched, Retire, StoredRecord } from '../store.ts'
import { dataFor, lifetimeFor, recordIn, rowIn, type SqlRow, successorFor, successorIn } from './columns.ts'
import { decodeName, encodeName, NAME_LENGTH } from './names.ts'
import { CHUNK, type SqlValue, type Statement, type Statements } from './statements.ts'

type Values = Readonly<Record<string, SqlValue>>

/** What a store asks of a database's client. Both reject, or throw, only where the database is unavailable. */
export interface SqlClient {
  /** What a statement gives. */
  rows(statement: Statement, values: Values): Answer<readonly SqlRow[]>
  /** How many rows a statement inserted, changed or deleted: none, where a row was to be inserted that is there. */
  count(statement: Statement, values: Values): Answer<number>
}

/**
 * The rows of a table. Every change is one statement, so that nothing comes between what it checks and what it writes. A
 * second one drops what the first has left empty, or makes room where the first found none: it checks again.
 */
export function sqlRows(client: SqlClient, statements: Statements, now: () => number): Rows {
  /** The instant, which the statement compares with, and that at which `ttl` is over. */
  function times(ttl = 0): { now: number; expires: number } {
    const at = Math.floor(now())
    return { now: at, expires: ttl > 0 ? Math.min(Math.ceil(at + ttl), Number.MAX_SAFE_INTEGER) : at }
  }

  function rowUnder(name: string): Answer<SqlRow | undefined> {
    return after(client.rows(statements.read, { name, ...times() }), ([row]) => {
      checkAnswer(row === undefined || row.name === name)
      return row
    })
  }

  /** Whether it was there after all, as another version. It may have come or gone since: then so it is now. */
  function whyNot(name: string, version: number | undefined): Answer<'gone' | 'conflict'> {
    if (version === undefined) return 'gone'
    return after(client.rows(statements.find, { name, ...times() }), found => (found.length > 0 ? 'conflict' : 'gone'))
  }

  /** The same, where it was to be retired. It may have been, by the call that this one repeats. */
  function whyNotRetired(name: string, { version, successor }: Retire): Answer<'saved' | 'gone' | 'conflict'> {
    if (version === undefined && successor === undefined) return 'gone'
    return after(rowUnder(name), row => {
      if (!row) return 'gone'
      if (row.retired_at === null) return version === undefined ? 'gone' : 'conflict'
      return successor !== undefined && successorIn(row) === successor ? 'saved' : 'gone'
    })
  }

  /** Drops it, unless another has written to it since it was saved as this `version`. */
  function dropEmpty(name: string, { version, is_empty = true }: SqlRow): Answer<Patched> {
    if (!is_empty) return 'saved'
    return after(client.count(statements.dropEmpty, { name, version: Number(version) }), count =>
      count > 0 ? 'emptied' : 'saved',
    )
  }

  function insert(values: Values): Answer<boolean> {
    return after(client.count(statements.create, values), count => {
      if (count > 0 || !statements.makeRoom) return count > 0
      return after(client.count(statements.makeRoom, values), room => {
        return room > 0 && after(client.count(statements.create, values), again => again > 0)
      })
    })
  }

  /** Removes at most `CHUNK`: in one statement where all of them are there and none is a tombstone. */
  function remove(names: readonly string[]): Answer<Removed> {
    const isOne = names.length === 1
    const values = { ...(isOne ? { name: names[0] ?? '' } : valuesOf(names)), ...times() }
    return after(client.count(isOne ? statements.removeOne : statements.removeMany, values), count => {
      if (count === names.length) return { count, tombstones: [] }
      return after(client.rows(isOne ? statements.tombstone : statements.tombstones, values), rows => {
        checkAnswer(rows.every(({ name }) => names.includes(String(name))))
        return { count, tombstones: rows.map(tombstoneIn) }
      })
    })
  }

  function removeAll(names: readonly string[], known: Removed = { count: 0, tombstones: [] }): Answer<Removed> {
    if (names.length === 0) return known
    return after(remove(names.slice(0, CHUNK)), ({ count, tombstones }) =>
      removeAll(names.slice(CHUNK), {
        count: known.count + count,
        tombstones: [...known.tombstones, ...tombstones],
      }),
    )
  }

  return {
    read(id) {
      const name = nameOf(id)
      if (name === undefined) return undefined
      return after(rowUnder(name), row => row && recordIn(row))
    },

    create: (id, record, ttl) => insert({ ...inserted(id, record), ...times(ttl) }),

    replace: (id, record, ttl) =>
      after(client.count(statements.replace, { ...inserted(id, record), ...times(ttl) }), () => undefined),

    patch(id, { set, unset, lifetime, keepsEmpty, version, subject }, ttl) {
      const name = nameOf(id)
      if (name === undefined) return 'gone'
      const gone = unset.filter(one => !Object.hasOwn(set, one))
      const statement = statements.patch(statements.removesOneByOne ? gone.length : 0)
      const change = dataFor(set, statement.limit > 0 ? [] : gone)
      // The last one fills up: the statement is the same for several numbers.
      const removed = Array.from({ length: statement.limit }, (_, at) => [
        `gone${at}`,
        dataFor({}, [gone[at] ?? gone.at(-1) ?? '']),
      ])
      const owner = { moves: subject === undefined ? 0 : 1, subject: subject ?? null }
      const changes = { change, ...Object.fromEntries(removed) }
      const values = { name, ...changes, lifetime: lifetimeFor(lifetime), version: version ?? null, ...owner }
      const mayEmpty = unset.length > 0 && !keepsEmpty && Object.keys(set).length === 0
      return after<readonly SqlRow[], Patched>(client.rows(statement, { ...values, ...times(ttl) }), ([row]) => {
        if (!row) return whyNot(name, version)
        return mayEmpty ? dropEmpty(name, row) : 'saved'
      })
    },

    touch(id, lifetime, ttl) {
      const name = nameOf(id)
      if (name === undefined) return false
      const values = { name, lifetime: lifetimeFor(lifetime), ...times(ttl) }
      return after(client.rows(statements.touch, values), rows => rows.length > 0)
    },

    retire(id, retire, ttl) {
      const name = nameOf(id)
      if (name === undefined) return 'gone'
      const { version = null, successor } = retire
      const values = { name, version, lifetime: successorFor(successor), ...times(ttl) }
      return after<readonly SqlRow[], 'saved' | 'gone' | 'conflict'>(client.rows(statements.retire, values), rows =>
        rows.length > 0 ? 'saved' : whyNotRetired(name, retire),
      )
    },

    remove: ids => removeAll(namesOf(ids)),

    // Only those are removed that were followed from one id: they fit into one statement.
    forget: ids => client.count(statements.forget, { ...valuesOf(namesOf(ids)), ...times() }),

    list: (subject, limit) =>
      after(
        client.rows(limit === undefined ? statements.list : statements.newest(limit), { subject, ...times() }),
        rows => {
          checkAnswer(rows.every(row => row.subject === subject))
          return rows.map(rowIn)
        },
      ),

    some: (subject, limit) =>
      after(client.rows(statements.some(limit), { subject, ...times() }), rows =>
        rows.map(({ name }) => decodeName(String(name))),
      ),

    count: () => after(client.rows(statements.count, times()), ([row]) => Number(row?.version)),

    async *pages(batch, from = '') {
      const statement = statements.page(batch)
      for (let last = from === '' ? '' : encodeName(from); ; ) {
        const found = await client.rows(statement, { after: last, ...times() })
        yield readableIn(found)
        if (found.length < statement.limit) return
        last = String(found.at(-1)?.name)
      }
    },

    names: subject =>
      after(client.rows(statements.names, { subject, ...times() }), rows =>
        rows.map(({ name }) => decodeName(String(name))),
      ),

    rewriting: {
      find: id => after(rowUnder(nameOf(id) ?? ''), found => (found ? readableIn([found])[0] : undefined)),

      rewrite({ name, record, createdAt }, { members, subject = null }) {
        const { version = null } = record
        const values = { name: encodeName(name), change: dataFor(members), version, subject, created: createdAt }
        return after(client.count(statements.rewrite, values), count => count > 0)
      },
    },
  }
}

function readableIn(found: readonly SqlRow[]): Row[] {
  return found.filter(row => recordIn(row)).map(rowIn)
}

function tombstoneIn(row: SqlRow): Tombstone {
  return { name: decodeName(String(row.name)), successor: successorIn(row) }
}

/** Parameters for at most `CHUNK` names. The last one fills up: the statement is the same for any number. */
function valuesOf(names: readonly string[]): Values {
  return Object.fromEntries(Array.from({ length: CHUNK }, (_, n) => [`name${n}`, names[n] ?? names.at(-1) ?? '']))
}

function namesOf(ids: readonly string[]): string[] {
  return ids.map(nameOf).filter(name => name !== undefined)
}

/** What a row of that id is kept under; `undefined` where it is so long that there is none. */
function nameOf(id: string): string | undefined {
  const name = encodeName(id)
  return name.length > NAME_LENGTH ? undefined : name
}

function inserted(id: string, { members, lifetime, subject }: StoredRecord): Values {
  const name = nameOf(id)
  if (name === undefined) {
    throw new SessionError(
      'ERR_SESSION_ID',
      `an id takes more than the ${NAME_LENGTH} characters of the table; use shorter ids, or hashIds`,
    )
  }
  return { name, data: dataFor(members), lifetime: lifetimeFor(lifetime), subject: subject ?? null }
}
