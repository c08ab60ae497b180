/* Which servers can be had on this machine, as data. */
import { findDynalite } from './dynalite.ts'
import type { Found } from './found.ts'
import { findMariadb } from './mariadb.ts'
import { findMemcached } from './memcached.ts'
import { findMongodb } from './mongodb.ts'
import { findMysql } from './mysql.ts'
import { findNginx } from './nginx.ts'
import { findPgbouncer } from './pgbouncer.ts'
import { findPostgres } from './postgres.ts'
import { findRedis } from './redis.ts'

export type ServerName =
  | 'redis'
  | 'redis-newer'
  | 'valkey'
  | 'postgres-apt'
  | 'postgres-npm'
  | 'mariadb'
  | 'mysql'
  | 'memcached'
  | 'mongodb'
  | 'dynalite'
  | 'pgbouncer'
  | 'nginx'
  | 'mariadb'
  | 'mysql'

/** `isOptional`: it can't be had everywhere, so that nobody has to have it. */
const FIND: Record<ServerName, { title: string; find: () => Found; isOptional?: true }> = {
  redis: { title: 'redis-server', find: () => findRedis() },
  'redis-newer': { title: 'redis-server (newer)', find: () => findRedis('newer'), isOptional: true },
  valkey: { title: 'valkey-server', find: () => findRedis('valkey'), isOptional: true },
  'postgres-apt': { title: 'PostgreSQL', find: () => findPostgres('apt') },
  'postgres-npm': { title: 'PostgreSQL (npm)', find: () => findPostgres('npm') },
  pgbouncer: { title: 'PgBouncer', find: findPgbouncer },
  mariadb: { title: 'MariaDB', find: findMariadb },
  memcached: { title: 'Memcached', find: findMemcached },
  mongodb: { title: 'MongoDB', find: findMongodb },
  dynalite: { title: 'dynalite', find: findDynalite },
  nginx: { title: 'nginx', find: findNginx },
  mysql: { title: 'MySQL', find: findMysql, isOptional: true },
}

export interface Available {
  /** With its version if it is there: `redis-server 7.0.15`. */
  title: string
  /** Why it is not there, and how to get it. */
  missing?: string | undefined
  /** Whether that is no failure anywhere. */
  isOptional: boolean
}

export function available(name: ServerName): Available {
  const { title, find, isOptional = false } = FIND[name]
  const found = find()
  if (found.missing !== undefined) return { title, missing: found.missing, isOptional }
  return { title: `${title} ${found.version}`, isOptional }
}
