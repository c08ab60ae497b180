/* MySQL, as scripts/newer-servers.mjs has unpacked it: the machine's own is MariaDB. */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Found } from './found.ts'
import { findNewer, newerFolder, newerProgram } from './newer.ts'
import { freePort, makeFolder } from './place.ts'
import { launch, type Server } from './server.ts'

const PROGRAM = 'usr/sbin/mysqld'
const run = promisify(execFile)

/** What is committed outlives a crash of the server, if not one of the machine. */
const SETTINGS = [
  ...['--innodb-flush-log-at-trx-commit=2', '--innodb-buffer-pool-size=64M', '--skip-name-resolve', '--skip-log-bin'],
  ...['--mysqlx=OFF', '--secure-file-priv=NULL'],
]

/** Its own `root` is that of `localhost`, which an address is not where names are not looked up. */
const INITIAL = [
  'CREATE DATABASE IF NOT EXISTS test CHARACTER SET utf8mb4',
  "CREATE USER IF NOT EXISTS 'root'@'127.0.0.1'",
  "GRANT ALL ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION",
]

export function findMysql(): Found {
  return findNewer(PROGRAM)
}

/** Its database is `test`, its user `root` without a password. */
export async function startMysql(): Promise<Server> {
  const program = newerProgram(PROGRAM)
  if (!program) throw new Error('MySQL was not unpacked: node scripts/newer-servers.mjs')
  const folder = makeFolder()
  const share = newerFolder('usr', 'share', 'mysql')
  const place = [
    ...['--no-defaults', `--datadir=${join(folder, 'data')}`],
    ...[`--lc-messages-dir=${share}`, `--character-sets-dir=${join(share, 'charsets')}`],
    ...(process.getuid?.() === 0 ? ['--user=root'] : []),
  ]
  await run(program.command, [...program.args, ...place, '--initialize-insecure'], { cwd: folder })
  const script = join(folder, 'init.sql')
  writeFileSync(script, `${INITIAL.join(';\n')};\n`)
  const port = await freePort()
  const net = ['--bind-address=127.0.0.1', `--port=${port}`, `--socket=${join(folder, 'socket')}`]
  return launch({
    command: program.command,
    args: [...program.args, ...place, ...net, `--init-file=${script}`, ...SETTINGS],
    port,
    url: `mysql://root@127.0.0.1:${port}/test`,
    folder,
    ready: /ready for connections\. Version/,
    endSignal: 'SIGTERM',
    crashSignal: 'SIGKILL',
  })
}
