/** What Redis may evict, by its `maxmemory-policy`: an index that may go before its sessions is no index. */

import { SessionError } from '../../errors.ts'
import { warnOnce } from '../../warnings.ts'
import { type Commands, scriptOf } from './client.ts'

export interface Eviction {
  /** Whether keys are evicted that expire, and no others: then an index must not expire. */
  sparesLasting(key: string): Promise<boolean>
  /** Rejects with `ERR_SESSION_STORE` where an index may be evicted, or where that can't be known. */
  checkIndex(key: string): Promise<void>
}

/** In a script, so that it is asked of the server that has the key. Hosted Redis refuses CONFIG. */
export const POLICY = scriptOf(`
local info = redis.pcall('INFO', 'memory')
return type(info) == 'string' and string.match(info, 'maxmemory_policy:([%w-]+)') or ''
`)

/** The policy is asked for once. What is told of it is a process warning. */
export function createEviction(commands: Commands): Eviction {
  let asked: Promise<string> | undefined

  async function ask(key: string): Promise<string> {
    const [policy = ''] = await commands.run(POLICY, key, [])
    const warning = warningOf(policy)
    if (warning) warnOnce('KOA_SESSION_EVICTION', `redisStore: ${warning}`, undefined, policy)
    return policy
  }

  /** A server that is down is asked again. */
  function policyOf(key: string): Promise<string> {
    asked ??= ask(key).catch(error => {
      asked = undefined
      throw error
    })
    return asked
  }

  return {
    sparesLasting: async key => isVolatile(await policyOf(key)),

    async checkIndex(key) {
      const policy = await policyOf(key)
      if (policy === 'noeviction' || isVolatile(policy)) return
      throw new SessionError('ERR_SESSION_STORE', `redisStore: ${warningOf(policy)}`)
    },
  }
}

function isVolatile(policy: string): boolean {
  return policy.startsWith('volatile-')
}

function warningOf(policy: string): string | undefined {
  if (policy === 'noeviction') return undefined
  const remedy = 'set maxmemory-policy to noeviction and restart the application'
  if (isVolatile(policy)) {
    const sweep = 'or call store.sweep() once a day, which deletes from the indexes what has expired'
    return `Redis may evict sessions (maxmemory-policy ${policy}), which signs people out: ${remedy}, ${sweep}`
  }
  const refused = 'list() and destroyAll() can not find all sessions of a subject, and are refused'
  if (policy !== '') return `Redis may evict any key (maxmemory-policy ${policy}), so that ${refused}: ${remedy}`
  const allowed = 'allow its user the command INFO, also in scripts, and restart the application'
  return `Redis does not say its maxmemory-policy, so that ${refused}: ${allowed}`
}
