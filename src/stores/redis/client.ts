/** What makes one thing of the clients: a script on one key, or all fields of a hash, in one round trip. */

import { createHash } from 'node:crypto'
import { SessionError } from '../../errors.ts'
import { checkAnswer } from '../after.ts'
import { type Keys, keysOn, mastersOf, nodesOf, primariesOf } from './keys.ts'
import { isMarkOf, MARK } from './mark.ts'

/** What is used of a client of npm's `redis`: `createClient`, `createClientPool`, `createCluster`, `createSentinel`. */
export interface NodeRedisClient {
  hGetAll(key: string): Promise<unknown>
  evalSha(sha: string, options: ScriptArguments): Promise<unknown>
  eval(source: string, options: ScriptArguments): Promise<unknown>
}

interface ScriptArguments {
  keys: string[]
  arguments: string[]
}

/** What is used of a client of `ioredis` or `iovalkey`: `Redis`, `Cluster`. */
export interface IoRedisClient {
  hgetall(key: string): Promise<unknown>
  evalsha(sha: string, numberOfKeys: number, ...keysAndArguments: string[]): Promise<unknown>
  eval(source: string, numberOfKeys: number, ...keysAndArguments: string[]): Promise<unknown>
}

/** What is used of a client of `@valkey/valkey-glide`: `GlideClient`, `GlideClusterClient`. */
export interface GlideClient {
  customCommand(command: string[]): Promise<unknown>
}

/** The clients that `redisStore()` takes. */
export type RedisClient = NodeRedisClient | IoRedisClient | GlideClient

export interface Script {
  readonly source: string
  /** The SHA-1 of the source: Redis's name of it. */
  readonly sha: string
}

/** A script whose `body` returns a text or an error. Before the text it answers with the mark of its key. */
export function scriptOf(body: string): Script {
  const source = `
local function answer()${body}end
local reply = answer()
if type(reply) == 'table' then return reply end
return ${MARK} .. '\\0' .. reply
`
  return { source, sha: createHash('sha1').update(source).digest('hex') }
}

/** Each rejects as the client does, or with `ERR_SESSION_STORE` where Redis has no memory left. */
export interface Commands {
  /** The answer of a script in parts, none where it answered nothing. */
  run(script: Script, key: string, args: readonly string[]): Promise<string[]>
  /** Fields and values, in turn; none where there is no hash. */
  fields(key: string): Promise<string[]>
  /** The keys that begin with `prefix`, some at a time: each that is there during the whole walk, perhaps twice. */
  keys(prefix: string, batch: number, from?: string): AsyncIterable<Keys>
}

const METHODS = [['hGetAll', 'evalSha', 'eval'], ['hgetall', 'evalsha', 'eval'], ['customCommand']] as const

export function isClient(client: unknown): client is RedisClient {
  const methods: Partial<Record<string, unknown>> = Object(client)
  return METHODS.some(names => names.every(name => typeof methods[name] === 'function'))
}

export function commandsOf(client: RedisClient): Commands {
  if ('customCommand' in client) return glide(client)
  return 'evalSha' in client ? nodeRedis(client) : ioRedis(client)
}

function nodeRedis(client: NodeRedisClient): Commands {
  return {
    fields: key => fieldsIn(client.hGetAll(key)),
    keys: (prefix, batch, from) => keysOn(nodesOf(client), prefix, batch, from),
    run({ sha, source }, key, args) {
      const options = { keys: [key], arguments: [...args] }
      return answer(
        key,
        () => client.evalSha(sha, options),
        () => client.eval(source, options),
      )
    },
  }
}

function ioRedis(client: IoRedisClient): Commands {
  return {
    fields: key => fieldsIn(client.hgetall(key)),
    // A cluster knows its masters once it has answered.
    keys: (prefix, batch, from) =>
      keysOn(
        fieldsIn(client.hgetall(prefix)).then(() => mastersOf(client)),
        prefix,
        batch,
        from,
      ),
    run: ({ sha, source }, key, args) =>
      answer(
        key,
        () => client.evalsha(sha, 1, key, ...args),
        () => client.eval(source, 1, key, ...args),
      ),
  }
}

function glide(client: GlideClient): Commands {
  return {
    fields: key => fieldsIn(client.customCommand(['HGETALL', key]).then(pairsIn)),
    keys: (prefix, batch, from) => keysOn(primariesOf(client), prefix, batch, from),
    run: ({ sha, source }, key, args) =>
      answer(
        key,
        () => client.customCommand(['EVALSHA', sha, '1', key, ...args]),
        () => client.customCommand(['EVAL', source, '1', key, ...args]),
      ),
  }
}

/** Fields and values, in turn, of a list of pairs. */
function pairsIn(pairs: unknown): unknown {
  if (!Array.isArray(pairs)) throw unknownReply()
  return pairs.flatMap(({ key, value }: { key: unknown; value: unknown }) => [key, value])
}

/** A server that was restarted, or has another one's place, does not know the script until it got the source once. */
async function answer(key: string, bySha: () => Promise<unknown>, bySource: () => Promise<unknown>): Promise<string[]> {
  try {
    return partsOf(await bySha(), key)
  } catch (error) {
    if (!isRefusal(error, /^NOSCRIPT|NoScriptError/)) throw told(error)
    return partsOf(await bySource().catch(error => Promise.reject(told(error))), key)
  }
}

/** Redis before 7 says it with more words around it, and some clients with a colon. */
function told(error: unknown): unknown {
  if (!isRefusal(error, /OOM:? command not allowed/)) return error
  const what = 'Redis has no memory left (maxmemory), and keeps no new session and none that would become larger'
  const remedy = 'raise maxmemory, or shorten maxAge so that sessions expire sooner'
  return new SessionError('ERR_SESSION_STORE', `redisStore: ${what}: ${remedy}`, { cause: error })
}

/** The scripts answer with one text, which is the same in every mode of a client. */
function partsOf(reply: unknown, key: string): string[] {
  const [mark, ...parts] = textIn(reply).split('\0')
  checkAnswer(isMarkOf(mark, key))
  return parts.length === 1 && parts[0] === '' ? [] : parts
}

async function fieldsIn(hash: Promise<unknown>): Promise<string[]> {
  try {
    return flat(await hash)
  } catch (error) {
    if (isRefusal(error, /^WRONGTYPE/)) return []
    throw error
  }
}

/** A hash is a list, a Map or an object, as the client is set. */
function flat(reply: unknown): string[] {
  if (Array.isArray(reply)) return reply.map(textIn)
  if (typeof reply !== 'object' || reply === null) throw unknownReply()
  const parts: string[] = []
  if (reply instanceof Map) {
    for (const [name, value] of reply) parts.push(textIn(name), textIn(value))
    return parts
  }
  for (const name of Object.keys(reply)) parts.push(name, textIn(reply[name as keyof typeof reply]))
  return parts
}

/** A client can be set to give bytes. */
function textIn(reply: unknown): string {
  if (typeof reply === 'string') return reply
  if (reply instanceof Uint8Array) return Buffer.from(reply).toString()
  throw unknownReply()
}

/** As of a client that takes callbacks. */
function unknownReply(): TypeError {
  return new TypeError(
    'redisStore: the client answered what no client that it knows does, as one that takes callbacks: see docs/clients.md',
  )
}

function isRefusal(error: unknown, code: RegExp): boolean {
  return error instanceof Error && code.test(error.message)
}
