/** What makes one function of the clients: runs a script, on one key, in one round trip. */

import { createHash } from 'node:crypto'

/** What is used of a client of npm's `redis`: `createClient`, `createClientPool`, `createCluster`, `createSentinel`. */
export interface NodeRedisClient {
  evalSha(sha: string, options: ScriptArguments): Promise<unknown>
  eval(source: string, options: ScriptArguments): Promise<unknown>
}

interface ScriptArguments {
  keys: string[]
  arguments: string[]
}

/** What is used of a client of `ioredis`: `Redis`, `Cluster`. */
export interface IoRedisClient {
  evalsha(sha: string, numberOfKeys: number, ...keysAndArguments: string[]): Promise<unknown>
  eval(source: string, numberOfKeys: number, ...keysAndArguments: string[]): Promise<unknown>
}

export type RedisClient = NodeRedisClient | IoRedisClient

export interface Script {
  readonly source: string
  /** The SHA-1 of the source: Redis's name of it. */
  readonly sha: string
}

export function scriptOf(source: string): Script {
  return { source, sha: createHash('sha1').update(source).digest('hex') }
}

/** The answer of a script in parts, none where it answered nothing. Rejects as the client does. */
export type Run = (script: Script, key: string, args: readonly string[]) => Promise<string[]>

export function isClient(client: unknown): client is RedisClient {
  const { evalSha, evalsha, eval: byItself }: Partial<Record<string, unknown>> = Object(client)
  return typeof byItself === 'function' && (typeof evalSha === 'function' || typeof evalsha === 'function')
}

export function runnerOf(client: RedisClient): Run {
  return 'evalSha' in client ? nodeRedis(client) : ioRedis(client)
}

function nodeRedis(client: NodeRedisClient): Run {
  return ({ sha, source }, key, args) => {
    const options = { keys: [key], arguments: [...args] }
    return answer(
      () => client.evalSha(sha, options),
      () => client.eval(source, options),
    )
  }
}

function ioRedis(client: IoRedisClient): Run {
  return ({ sha, source }, key, args) =>
    answer(
      () => client.evalsha(sha, 1, key, ...args),
      () => client.eval(source, 1, key, ...args),
    )
}

/** A server that was restarted, or has another one's place, does not know the script until it got the source once. */
async function answer(bySha: () => Promise<unknown>, bySource: () => Promise<unknown>): Promise<string[]> {
  try {
    return partsOf(await bySha())
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
    return partsOf(await bySource())
  }
}

/** The scripts answer with one text, which costs a client less than a list, and is the same in every mode of it. */
function partsOf(reply: unknown): string[] {
  if (reply === null || reply === '') return []
  if (typeof reply === 'string') return reply.split('\0')
  // A client can be set to give bytes.
  if (reply instanceof Uint8Array) return partsOf(Buffer.from(reply).toString())
  throw new TypeError('redisStore: the client gave no text for an answer that is one')
}
