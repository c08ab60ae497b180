/** The table of a store: its versions, what a database says of the one that is there, and what it lacks. */

import { SessionError } from '../../errors.ts'
import type { Answer } from '../store.ts'
import type { Dialect, Table, Version } from './statements.ts'

/** A column of the table that is there, as the database tells it. */
export interface Column {
  readonly name: string
  readonly type: string
  /** Whether it is the key, or a part of it. */
  readonly is_key: unknown
  /** Whether an index begins with it. */
  readonly is_indexed: unknown
}

/** The columns of the first version. */
export const FIRST: Version['columns'] = {
  name: 'text',
  data: 'json',
  lifetime: 'text',
  version: 'integer',
  subject: 'text',
  created_at: 'integer',
  seen_at: 'integer',
  expires_at: 'integer',
  retired_at: 'integer',
}

/** By which the sweep, and the sessions of a subject, are found. */
const INDEXED = ['expires_at', 'subject']

/** What a set-up asks of a database. */
export interface Desk {
  /** The columns of the table; none where there is no table. */
  look(table: Table): Answer<readonly Column[]>
  /** Runs statements, one after the other. */
  run(statements: readonly string[]): unknown
}

/** The statements from version `from` of the table to the newest one; 0: there is no table. */
export function upgradesFrom(from: number, { versions }: Dialect, table: Table): string[] {
  return versions.slice(from).flatMap(version => version.upgrade(table))
}

/**
 * Makes the table, or what it lacks. Where nothing is to be made it only looks, for which the rights of the store's
 * statements are enough. Rejects with `ERR_SESSION_OPTION` where the table is somebody else's.
 */
export async function setUp(maker: string, dialect: Dialect, table: Table, { look, run }: Desk): Promise<void> {
  let columns = await look(table)
  if (columns.length === 0) {
    await run(upgradesFrom(0, dialect, table))
    // Others may have made one of that name meanwhile.
    columns = await look(table)
  }
  const missing = missingIn(maker, columns, dialect, table)
  if (missing.length > 0) await run(missing)
}

/** The statements that make a table with these columns one of the newest version. */
export function missingIn(maker: string, columns: readonly Column[], dialect: Dialect, table: Table): string[] {
  const faults = dialect.versions.map(version => faultsOf(version, columns, dialect))
  const others = columns.filter(({ name, is_key }) => Boolean(is_key) !== (name === 'name'))
  if (faults[0]?.length !== 0 || others.length > 0) {
    const what = [...(faults[0] ?? []), ...others.map(({ name, is_key }) => `${name} is ${is_key ? 'a' : 'no'} key`)]
    const advice = 'choose another name by the option table, or compare it with store.setupSql'
    const message = `${maker}: the table ${table.name} is there, and is not one of koa-session (${what.join(', ')}): ${advice}`
    throw new SessionError('ERR_SESSION_OPTION', message)
  }
  const unready = faults.findIndex(list => list.length > 0)
  const isIndexed = (column: string) => columns.some(({ name, is_indexed }) => name === column && is_indexed)
  const indexes = INDEXED.filter(column => !isIndexed(column)).map(column => dialect.index(table, column))
  return [...(unready < 0 ? [] : upgradesFrom(unready, dialect, table)), ...indexes]
}

function faultsOf({ columns, types: own }: Version, found: readonly Column[], { types }: Dialect): string[] {
  return Object.entries(columns).flatMap(([name, kind]) => {
    const column = found.find(column => column.name === name)
    if (!column) return [`${name} is missing`]
    return (own?.[kind] ?? types[kind]).test(column.type) ? [] : [`${name} is of type ${column.type}`]
  })
}
