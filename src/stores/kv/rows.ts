import { SessionError } from '../../errors.ts'
import type { Rows } from '../rows.ts'
import { dataFor, lifetimeFor, recordIn } from '../sql/columns.ts'
import type { StoredRecord } from '../store.ts'
import type { Texts } from './client.ts'

/** The shortest and the longest time (s) that a text is kept: Workers KV refuses less than a minute, others more. */
const SHORTEST = 60
const LONGEST = 2 ** 31 - 1

/** When it expires, and a JSON list, in ASCII. As a whole it is no JSON, which unstorage would parse. */
const TEXT = /^(\d+(?:\.\d+)?) (\[.*)$/

/** As much of rows as there can be where nothing is atomic. */
export function kvRows(texts: Texts, prefix: string, now: () => number): Pick<Rows, 'read' | 'replace' | 'remove'> {
  return {
    async read(name) {
      const text = await texts.get(prefix + name)
      const [, expiresAt, json = ''] = (typeof text === 'string' && TEXT.exec(text)) || []
      return Number(expiresAt) > now() ? recordOf(json) : undefined
    },

    async replace(name, { members, lifetime }, ttl) {
      if (!(ttl > 0)) {
        // To some clients no time at all is for ever.
        await texts.remove(prefix + name)
        return
      }
      const expiresAt = Math.min(now() + ttl, Number.MAX_SAFE_INTEGER)
      const seconds = Math.min(Math.max(Math.ceil(ttl / 1000), SHORTEST), LONGEST)
      const text = `${expiresAt} [${dataFor(members)},${lifetimeFor(lifetime)}]`
      if ((await texts.set(prefix + name, text, seconds)) !== false) return
      throw new SessionError('ERR_SESSION_STORE', 'kvStore: the client answered that the session was not kept')
    },

    async remove(names) {
      for (const name of names) await texts.remove(prefix + name)
      return { count: names.length, tombstones: [] }
    },
  }
}

function recordOf(json: string): StoredRecord | undefined {
  try {
    const [data, lifetime] = JSON.parse(json)
    return recordIn({ data, lifetime, retired_at: null })
  } catch {
    return undefined
  }
}
