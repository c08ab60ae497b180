import type { Capability, Store } from 'koa-session/testing'

export const ALL: readonly Capability[] = ['keys', 'versions', 'retire', 'subjects', 'all', 'order']

const tables = new WeakMap<object, Map<string, { text: string; readonly expiresAt: number }>>()

/** A store as those of koa-session 7 are, which answers later. */
export function threeMethods(now: () => number) {
  const table = new Map<string, { text: string; readonly expiresAt: number }>()
  const store = {
    async get(id: string): Promise<unknown> {
      const row = table.get(id)
      if (!row || row.expiresAt <= now()) return undefined
      try {
        return JSON.parse(row.text)
      } catch {
        return undefined
      }
    },
    async set(id: string, payload: object, ttl: number): Promise<void> {
      table.set(id, { text: JSON.stringify(payload), expiresAt: now() + ttl })
    },
    async destroy(id: string): Promise<void> {
      table.delete(id)
    },
  } satisfies Store
  tables.set(store, table)
  return { store, table }
}

/** Makes what `store` has under `id` unreadable. */
threeMethods.corrupt = (id: string, store: object): void => {
  const row = tables.get(store)?.get(id)
  if (row) row.text = row.text.slice(1)
}
