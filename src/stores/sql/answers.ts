/** What a client of another kind, or one that is set otherwise, answers: told where it is seen first, before it is taken for data. */

import { SessionError } from '../../errors.ts'
import type { SqlRow } from './columns.ts'

/** Rows with the columns that were asked for, by their names. Throws `ERR_SESSION_OPTION`. Shows nothing of what is in them. */
export function rowsIn(maker: string, rows: unknown): readonly SqlRow[] {
  if (!Array.isArray(rows)) throw answerError(maker, `${kindOf(rows)} in place of a list of rows`)
  const fault = rows.length > 0 ? faultIn(rows[0]) : undefined
  if (fault !== undefined) throw answerError(maker, fault)
  return rows
}

/** How many rows a statement has changed. Throws `ERR_SESSION_OPTION`. */
export function countIn(maker: string, count: unknown): number {
  if (typeof count === 'number' || typeof count === 'bigint') return Number(count)
  throw answerError(maker, `${kindOf(count)} in place of the number of rows that were changed`)
}

export function answerError(maker: string, what: string): SessionError {
  const advice = 'give it a client of its own, with the settings that it has by default, see docs/clients.md'
  return new SessionError('ERR_SESSION_OPTION', `${maker}: the client answered ${what}: ${advice}`)
}

function faultIn(row: unknown): string | undefined {
  if (Array.isArray(row)) return 'rows that are arrays, not objects'
  if (typeof row !== 'object' || row === null) return `rows that are ${kindOf(row)}, not objects`
  const { name, version, data, retired_at }: SqlRow = row
  if (name === undefined && version === undefined) return 'rows without the columns that were asked for'
  if (name !== undefined && typeof name !== 'string') return `${kindOf(name)} in place of a text`
  return data !== undefined && retired_at === undefined ? 'rows whose columns have other names' : undefined
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (ArrayBuffer.isView(value)) return 'bytes'
  return typeof value === 'object' ? 'an object' : typeof value
}
