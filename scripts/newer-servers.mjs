/*
 * Fetches servers that Debian's releases do not have, MySQL 9, Redis 8 and Valkey 9, from its suite `sid`, from the mirror that
 * apt uses already, and unpacks them with every library that they need into `.cache/servers`. Nothing is installed: apt is
 * given lists and a state of its own, and the programs are run by the loader that is unpacked with them. test/servers/newer.ts
 * finds them. It exists because these servers are what many people have by now. Where they can't be had it says why, and
 * that is no failure: the table at the end of the tests says that they did not run.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PACKAGES = ['redis-server', 'redis-tools', 'valkey-server', 'valkey-tools', 'mysql-server-core']
const SOURCES = '/etc/apt/sources.list.d'
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'
const folder = fileURLToPath(new URL('../.cache/servers', import.meta.url))

if (existsSync(folder)) console.log(`they are in ${folder}: remove it to fetch others`)
else {
  const work = `${folder}-${process.pid}`
  try {
    fetchInto(work)
    renameSync(join(work, 'unpacked'), folder)
    console.log(`unpacked into ${folder}`)
  } catch (error) {
    console.log(`MySQL 9, Redis 8 and Valkey 9 can't be had here: ${error.message}`)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function fetchInto(work) {
  const mirror = mirrorOf()
  for (const made of ['lists/partial', 'cache/archives/partial', 'unpacked'])
    mkdirSync(join(work, made), { recursive: true })
  writeFileSync(join(work, 'sources.list'), `deb [signed-by=${KEYRING}] ${mirror} sid main\n`)
  // As if nothing were installed: so that apt takes every library, that of C too.
  writeFileSync(join(work, 'status'), '')
  const settings = {
    'Dir::Etc::sourcelist': join(work, 'sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::State::lists': join(work, 'lists'),
    'Dir::State::status': join(work, 'status'),
    'Dir::Cache': join(work, 'cache'),
    'APT::Sandbox::User': 'root',
    'Acquire::Languages': 'none',
  }
  const file = join(work, 'apt.conf')
  writeFileSync(
    file,
    Object.entries(settings)
      .map(([name, value]) => `${name} "${value}";\n`)
      .join(''),
  )
  const env = { ...process.env, APT_CONFIG: file }
  run('apt-get', ['update', '-qq'], env)
  run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', '--download-only', ...PACKAGES], env)
  const archives = join(work, 'cache', 'archives')
  for (const archive of readdirSync(archives).filter(name => name.endsWith('.deb'))) {
    run('dpkg', ['-x', join(archives, archive), join(work, 'unpacked')], env)
  }
}

/** Debian's mirror, as apt has it. */
function mirrorOf() {
  if (!existsSync(KEYRING)) throw new Error('this is no Debian')
  const files = [
    '/etc/apt/sources.list',
    ...(existsSync(SOURCES) ? readdirSync(SOURCES).map(name => join(SOURCES, name)) : []),
  ]
  const text = files
    .filter(file => existsSync(file))
    .map(file => readFileSync(file, 'utf8'))
    .join('\n')
  const [mirror] = /https?:\/\/\S+\/debian\/?(?=\s)/.exec(text) ?? []
  if (!mirror) throw new Error('apt has no mirror of Debian')
  return mirror
}

function run(command, args, env) {
  const { status, error, stderr } = spawnSync(command, args, { env, encoding: 'utf8' })
  if (status !== 0)
    throw new Error(
      `${command} ${args[0]}: ${String(error?.message ?? stderr)
        .trim()
        .slice(-300)}`,
    )
}
