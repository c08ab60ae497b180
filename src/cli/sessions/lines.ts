/** What `sessions` prints. It has no data of a session and no id. */

import { digest } from '../../codec/digest.ts'
import type { EndedSession } from '../../stores/rows.ts'
import type { ListedSession } from '../../stores/store.ts'
import { printable, printableJson } from '../printable.ts'

/** What is shown of a session. */
export type Shown = Omit<ListedSession, 'data'> & { readonly subjectHash: string | undefined }

const COLUMNS = { handle: 43, created: 24, seen: 24, expires: 24, subject: 0 }

export const HEAD = `${Object.entries(COLUMNS)
  .map(([name, width]) => name.padEnd(width))
  .join('  ')}\n`

/** The shape of the JSON is part of the contract with scripts. */
export function lineOf({ handle, createdAt, seenAt, expiresAt, subjectHash }: Shown, isJson: boolean): string {
  if (isJson) {
    return `${printableJson({ handle, createdAt, seenAt, expiresAt, subjectHash: subjectHash ?? null })}\n`
  }
  return `${[handle, ...[createdAt, seenAt, expiresAt].map(instant), printable(subjectHash ?? '-')].join('  ')}\n`
}

export type EndedShown = Pick<EndedSession, 'id' | 'subjectHash'>

/** What was ended, in the words of the event `session:ended`. */
export function endedLine({ id, subjectHash }: EndedShown): string {
  return `${printableJson({ id, subjectHash, reason: 'admin' })}\n`
}

const RESULTS = {
  count: (count: number) => String(count),
  ended: (count: number) => `${sessions(count)} ended`,
  deleted: (count: number) => `${count} deleted`,
  resealed: (count: number) => `${count} sealed anew`,
}

export function resultLine(name: keyof typeof RESULTS, count: number, isJson: boolean): string {
  return `${isJson ? JSON.stringify({ [name]: count }) : RESULTS[name](count)}\n`
}

export function question(count: number): string {
  return `This ends ${sessions(count)}. Go on? [y/N] `
}

/** What goes on, on one line of a terminal: for so many seconds, and what was done so far where that is known. */
export function progressLine(what: string, seconds: number, done: number): string {
  return `${what}: ${done > 0 ? `${done} so far, ` : ''}${seconds} s`
}

/** As a store keeps it. */
export function hashOf(subject: string): string {
  return digest(subject)
}

function sessions(count: number): string {
  return `${count} session${count === 1 ? '' : 's'}`
}

/** Of a number that is no instant: the number. */
function instant(milliseconds: number): string {
  const date = new Date(milliseconds)
  return Number.isNaN(date.getTime()) ? String(milliseconds) : date.toISOString()
}
