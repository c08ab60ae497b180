/* PgBouncer of the machine, before a PostgreSQL, which gives each transaction another connection. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Found, folderOf, versionOf } from './found.ts'
import { freePort, makeFolder } from './place.ts'
import { userFor } from './postgres.ts'
import { launch, type Server } from './server.ts'

export function findPgbouncer(): Found {
  const folder = folderOf('pgbouncer')
  if (folder) return { folder, version: versionOf(join(folder, 'pgbouncer')) }
  return { missing: 'pgbouncer is not installed: apt-get install pgbouncer' }
}

/** In transaction mode. It has two connections to `server`, so that clients share them. */
export async function startPgbouncer(server: Server): Promise<Server> {
  const found = findPgbouncer()
  if (found.missing !== undefined) throw new Error(found.missing)
  const user = userFor()
  const folder = makeFolder(user)
  const port = await freePort()
  const settings = [
    ...['[databases]', `postgres = host=127.0.0.1 port=${server.port} user=postgres`, '[pgbouncer]'],
    ...['listen_addr = 127.0.0.1', `listen_port = ${port}`, 'unix_socket_dir =', 'auth_type = any'],
    ...['pool_mode = transaction', 'default_pool_size = 2', 'max_client_conn = 100'],
  ]
  const file = join(folder, 'pgbouncer.ini')
  writeFileSync(file, `${settings.join('\n')}\n`)
  return launch({
    command: join(found.folder, 'pgbouncer'),
    args: [file],
    port,
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    folder,
    ready: /process up: PgBouncer/,
    endSignal: 'SIGTERM',
    crashSignal: 'SIGKILL',
    user,
  })
}
