/* MariaDB of the machine. */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Found, folderOf, versionOf } from './found.ts'
import { freePort, makeFolder } from './place.ts'
import { launch, type Server } from './server.ts'

export interface MariadbOptions {
  /** More arguments of mariadbd, such as `['--max-connections=10']`. */
  args?: readonly string[]
}

const run = promisify(execFile)

/** What is committed outlives a crash of the server, if not one of the machine. */
const SETTINGS = ['--innodb-flush-log-at-trx-commit=2', '--innodb-buffer-pool-size=64M', '--skip-name-resolve']

export function findMariadb(): Found {
  const folder = folderOf('mariadbd')
  if (folder && folderOf('mariadb-install-db')) return { folder, version: versionOf(join(folder, 'mariadbd')) }
  return { missing: 'mariadbd is not installed: apt-get install mariadb-server' }
}

/** Its database is `test`, its user `root` without a password. */
export async function startMariadb(options: MariadbOptions = {}): Promise<Server> {
  const found = findMariadb()
  if (found.missing !== undefined) throw new Error(found.missing)
  const folder = makeFolder()
  // It runs as who runs the tests, and asks for that to be said when it is root.
  const place = [`--datadir=${join(folder, 'data')}`, ...(process.getuid?.() === 0 ? ['--user=root'] : [])]
  const initial = ['--auth-root-authentication-method=normal', '--skip-test-db', '--skip-name-resolve']
  const install = join(folderOf('mariadb-install-db') ?? '', 'mariadb-install-db')
  await run(install, ['--no-defaults', ...place, ...initial], { cwd: folder })
  const script = join(folder, 'init.sql')
  writeFileSync(script, 'CREATE DATABASE IF NOT EXISTS test CHARACTER SET utf8mb4;\n')
  const port = await freePort()
  const net = ['--bind-address=127.0.0.1', `--port=${port}`, `--socket=${join(folder, 'socket')}`]
  return launch({
    command: join(found.folder, 'mariadbd'),
    args: ['--no-defaults', ...place, ...net, `--init-file=${script}`, ...SETTINGS, ...(options.args ?? [])],
    port,
    url: `mysql://root@127.0.0.1:${port}/test`,
    folder,
    ready: /ready for connections/,
    endSignal: 'SIGTERM',
    crashSignal: 'SIGKILL',
  })
}
