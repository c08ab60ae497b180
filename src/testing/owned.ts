import assert from 'node:assert/strict'
import { type Bench, digestOf, type RecordParts } from './bench.ts'

/** Of a session that belongs to somebody. */
export const MEMBERS = { user: '"ada"', device: '{"name":"phone"}' }
export const DATA = { user: 'ada', device: { name: 'phone' } }

export const ada = (t: Bench) => t.id('ada')
export const bob = (t: Bench) => t.id('bob')

/** Adds a session of `subject`; gives its id. */
export async function add(t: Bench, subject: string, stem: string, parts: RecordParts = {}): Promise<string> {
  await t.create(t.id(stem), MEMBERS, { subject: digestOf(subject), ...parts })
  return t.id(stem)
}

/** That the sessions of `subject` are those under these ids, in any order. */
export async function has(t: Bench, subject: string, ids: readonly string[], message?: string): Promise<void> {
  const handles = (await t.list(subject)).map(({ handle }) => handle)
  assert.deepEqual([...handles].sort(), ids.map(digestOf).sort(), message)
}
