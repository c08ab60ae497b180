/* Which servers can be had on this machine, as data. */
import type { Found } from './found.ts'
import { findMariadb } from './mariadb.ts'
import { findPostgres } from './postgres.ts'
import { findRedis } from './redis.ts'

export type ServerName = 'redis' | 'postgres-apt' | 'postgres-npm' | 'mariadb'

const FIND: Record<ServerName, { title: string; find: () => Found }> = {
  redis: { title: 'redis-server', find: findRedis },
  'postgres-apt': { title: 'PostgreSQL', find: () => findPostgres('apt') },
  'postgres-npm': { title: 'PostgreSQL (npm)', find: () => findPostgres('npm') },
  mariadb: { title: 'MariaDB', find: findMariadb },
}

export interface Available {
  /** With its version if it is there: `redis-server 7.0.15`. */
  title: string
  /** Why it is not there, and how to get it. */
  missing?: string | undefined
}

export function available(name: ServerName): Available {
  const { title, find } = FIND[name]
  const found = find()
  return found.missing === undefined ? { title: `${title} ${found.version}` } : { title, missing: found.missing }
}
