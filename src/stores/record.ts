import type { StoredPayload, StoredRecord } from './store.ts'

/** Names in a payload that say how long it lives. */
const LIFETIME: ReadonlySet<string> = new Set(['_expire', '_maxAge', '_session', '_meta'])

/** The payload that a record stands for. Throws a `SyntaxError` where a member is no JSON. */
export function payloadOf({ members, lifetime, retiredAt }: StoredRecord): StoredPayload {
  if (retiredAt !== undefined) return { _retired: retiredAt }
  const payload: StoredPayload = {}
  for (const name of Object.keys(members)) {
    // It would give the payload another prototype, whose properties a validator takes for data.
    if (name !== '__proto__') payload[name] = JSON.parse(members[name] ?? '')
  }
  return Object.assign(payload, lifetime)
}

/** The same as `get` of a store gives it: who gets it may change it, and what is no JSON is nothing. */
export function payloadIn(record: StoredRecord | undefined): StoredPayload | undefined {
  try {
    const { _meta } = record?.lifetime ?? {}
    return record && Object.assign(payloadOf(record), _meta && { _meta: structuredClone(_meta) })
  } catch {
    return undefined
  }
}

/** `payload` as a record: what JSON keeps of it. */
export function recordOf(payload: StoredPayload): StoredRecord {
  const members: Record<string, string> = {}
  const lifetime: StoredPayload = {}
  for (const name of Object.keys(payload)) {
    const text = JSON.stringify(payload[name])
    if (text === undefined) continue
    if (LIFETIME.has(name)) lifetime[name] = JSON.parse(text)
    else members[name] = text
  }
  return { members, lifetime }
}
