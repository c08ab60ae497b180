/*
 * A server that speaks MongoDB's protocol: mongo-java-server, which Maven fetches once into `.cache/mongodb`. MongoDB's own
 * is in no package that can be installed everywhere: `MONGODB_URL` names one that is there.
 */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Found, folderOf } from './found.ts'
import { freePort, makeFolder } from './place.ts'
import { launch, type Server } from './server.ts'

/** What a test needs of it: its own, or the one that `MONGODB_URL` names, which it neither kills nor stops. */
export interface MongodbServer extends Pick<Server, 'url' | 'port' | 'stop'> {
  /** For the tests that may kill it. */
  readonly own: Server | undefined
}

const SOURCE = fileURLToPath(new URL('../stores/servers/mongodb', import.meta.url))
const JARS = fileURLToPath(new URL('../../.cache/mongodb', import.meta.url))
const run = promisify(execFile)

/** The server of somebody else that the tests are to use. */
export const foreignUrl: string | undefined = process.env.MONGODB_URL

export function findMongodb(): Found {
  if (foreignUrl) return { folder: '', version: '(MONGODB_URL)' }
  const folder = folderOf('java')
  if (!folder) return { missing: 'Java is not installed, so MongoDB is left out: apt-get install default-jdk-headless' }
  if (!existsSync(JARS) && !folderOf('mvn'))
    return { missing: 'Maven is not installed, so MongoDB is left out: apt-get install maven' }
  const [, version = ''] =
    /mongo-java-server<\/artifactId>\s*<version>([^<]+)/.exec(readFileSync(join(SOURCE, 'pom.xml'), 'utf8')) ?? []
  return { folder, version: `(mongo-java-server ${version})` }
}

/** `heap`: what it may take of memory, as Java takes it. */
export async function startMongodb({ heap = '512m' } = {}): Promise<MongodbServer> {
  if (foreignUrl) return { url: foreignUrl, port: addressOf(foreignUrl).port, own: undefined, stop: async () => {} }
  const found = findMongodb()
  if (found.missing !== undefined) throw new Error(found.missing)
  await fetchJars()
  const port = await freePort()
  const own = await launch({
    command: join(found.folder, 'java'),
    args: [`-Xmx${heap}`, '-XX:+UseSerialGC', '-cp', `${JARS}/*`, join(SOURCE, 'Server.java'), String(port)],
    port,
    url: `mongodb://127.0.0.1:${port}`,
    folder: makeFolder(),
    ready: /takes connections/,
    endSignal: 'SIGTERM',
    crashSignal: 'SIGKILL',
  })
  return { url: own.url, port, own, stop: () => own.stop() }
}

/** Where the first server of a URL is. */
export function addressOf(url: string): { readonly host: string; readonly port: number } {
  const [, host = '127.0.0.1', port = '27017'] = /^mongodb:\/\/(?:[^@/]*@)?([^:/,?]+)(?::(\d+))?/.exec(url) ?? []
  return { host, port: Number(port) }
}

/** A name that no other test has: what a collection leaves behind when it is dropped is not the same on every server. */
export function newName(stem = 'sessions'): string {
  return `${stem}_${randomBytes(6).toString('hex')}`
}

/** Test processes that start together may all fetch them: the first one's stay. */
async function fetchJars(): Promise<void> {
  if (existsSync(JARS)) return
  const made = `${JARS}-${process.pid}`
  try {
    const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${made}`]
    await run('mvn', ['-q', '-B', '-f', join(SOURCE, 'pom.xml'), ...goal], { maxBuffer: 2 ** 24 })
    if (!existsSync(JARS)) renameSync(made, JARS)
  } finally {
    rmSync(made, { recursive: true, force: true })
  }
}
