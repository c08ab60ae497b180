import { isExpired, isPayload, type Lifetime, type Loaded } from '../session/payload.ts'
import { payloadOf } from '../stores/record.ts'
import { keyed, type Store, type StoredRecord } from '../stores/store.ts'
import { andThen } from './await.ts'
import { passesSchema } from './schema.ts'
import type { Scope } from './scope.ts'

/** What `store` has under the id that a client presented, and what is to be made of it. */
export function loadStored(scope: Scope, store: Store, id: string): Loaded | Promise<Loaded> {
  const { ctx, config } = scope
  const call = { ctx, rolling: config.rolling }
  const byKeys = keyed(store)
  if (byKeys) return andThen(byKeys.read(id, call), record => examined(scope, id, record?.lifetime, record))
  const lifetime = config.maxAge === 'session' ? config.ttl : config.maxAge
  return andThen(store.get(id, lifetime, call), payload => {
    if (payload && !isPayload(payload)) return { fault: 'invalid', id, value: payload }
    // An empty object has nothing of a session that was saved: an id must not be adopted for it.
    const isThere = isPayload(payload) && Object.keys(payload).length > 0
    return isThere ? examined(scope, id, payload) : { fault: 'missed', id, value: payload }
  })
}

/** A session that is there: as a `record`, or as a payload, which says its own `lifetime`. */
function examined(
  { ctx, config }: Scope,
  id: string,
  lifetime: Lifetime | undefined,
  record?: StoredRecord,
): Loaded | Promise<Loaded> {
  if (!lifetime) return { fault: 'missed', id, value: undefined }
  const { valid, schema } = config
  const isOver = isExpired(lifetime, config.now())
  if (record && !isOver && !valid && !schema) return { id, lifetime, members: record.members }
  const value = record ? readable(record) : lifetime
  if (isOver) return { fault: 'expired', id, value }
  const refused: Loaded = { fault: 'invalid', id, value }
  if (!value) return refused
  // What looks at the payload may write to it, which the handler sees.
  const found: Loaded = { id, lifetime, payload: value }
  return andThen(valid ? valid(ctx, value) : true, isValid =>
    andThen(isValid && passesSchema(schema, value), isGood => (isGood ? found : refused)),
  )
}

/** What a record says, or nothing where it is no JSON. */
function readable(record: StoredRecord): Record<string, unknown> | undefined {
  try {
    return payloadOf(record)
  } catch {
    return undefined
  }
}
