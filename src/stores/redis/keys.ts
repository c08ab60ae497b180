/** A walk through the keys of a server, or of each master of a cluster. */

import { digest } from '../../codec/digest.ts'

/** What runs a script that has no key, on one server. */
interface Node {
  /** Where it is, of several. */
  readonly place: string
  /** What the client itself puts before each key. */
  readonly keyPrefix: string
  eval(source: string, args: readonly string[]): Promise<unknown>
}

/** ARGV: 1 the cursor, 2 the pattern, 3 how many are looked at. One text is the same in every mode of a client. */
const SCAN = `
local found = redis.call('SCAN', ARGV[1], 'MATCH', ARGV[2], 'COUNT', ARGV[3])
table.insert(found[2], 1, found[1])
return table.concat(found[2], '\\0')
`

/** Of a client of npm's `redis`, a cluster or not. */
export async function nodesOf(client: object): Promise<readonly Node[]> {
  const { masters } = client as { masters?: readonly unknown[] }
  if (!Array.isArray(masters)) return [nodeOf(client, '')]
  const cluster = client as { nodeClient(node: unknown): object | Promise<object> }
  return Promise.all(
    masters.map(async master => {
      const { host, port, address = `${host}:${port}` } = master as Record<string, unknown>
      return nodeOf(await cluster.nodeClient(master), String(address))
    }),
  )
}

function nodeOf(client: object, place: string): Node {
  const { eval: run } = client as { eval(source: string, options: object): Promise<unknown> }
  return { place, keyPrefix: '', eval: (source, args) => run.call(client, source, { keys: [], arguments: [...args] }) }
}

/** Of a client of `ioredis`, a cluster or not. */
export async function mastersOf(client: object): Promise<readonly Node[]> {
  const { nodes } = client as { nodes?(role: string): readonly object[] }
  const all = typeof nodes === 'function' ? nodes.call(client, 'master') : [client]
  const { keyPrefix = '' } = (client as { options?: { keyPrefix?: string } }).options ?? {}
  return all.map(node => {
    const { eval: run } = node as { eval(source: string, keys: number, ...args: string[]): Promise<unknown> }
    const { host, port } = (node as { options?: { host?: unknown; port?: unknown } }).options ?? {}
    return {
      place: all.length > 1 ? `${host}:${port}` : '',
      keyPrefix,
      eval: (source, args) => run.call(node, source, 0, ...args),
    }
  })
}

/** Of a client of `@valkey/valkey-glide`, a cluster or not. */
export async function primariesOf(client: object): Promise<readonly Node[]> {
  const { customCommand, invokeScriptWithRoute } = client as {
    customCommand(command: readonly string[], options?: object): Promise<unknown>
    invokeScriptWithRoute?: unknown
  }
  const nodeAt = (options: object, place = ''): Node => ({
    place,
    keyPrefix: '',
    eval: (source, args) => customCommand.call(client, ['EVAL', source, '0', ...args], options),
  })
  // Only a client of a cluster has routes.
  if (typeof invokeScriptWithRoute !== 'function') return [nodeAt({})]
  const slots = (await customCommand.call(client, ['CLUSTER', 'SLOTS'])) as SlotRange[]
  const primaries = new Map(slots.map(([, , [host, port]]) => [`${host}:${port}`, { host: String(host), port }]))
  return [...primaries].map(([name, place]) => nodeAt({ route: { type: 'routeByAddress', ...place } }, name))
}

type SlotRange = readonly [first: number, last: number, primary: readonly [host: unknown, port: number]]

export interface Keys {
  readonly keys: readonly string[]
  /** Where a walk that is to give them again begins. */
  readonly place: string
}

/** The keys that begin with `prefix`, from a place on, or from the beginning. */
export async function* keysOn(
  nodes: Promise<readonly Node[]>,
  prefix: string,
  batch: number,
  from = '',
): AsyncIterable<Keys> {
  const all = (await nodes)
    .map(node => ({ ...node, name: digest(node.place).slice(0, 6) }))
    .sort((one, other) => (one.name < other.name ? -1 : 1))
  const [start, first = '0'] = from.split('.')
  // A server that is not there any more has left its keys to others: all of them are given again.
  const found = Math.max(
    0,
    all.findIndex(({ name }) => name === start),
  )
  for (const { name, keyPrefix, eval: run } of all.slice(found)) {
    const pattern = `${(keyPrefix + prefix).replace(/[*?[\]\\]/g, '\\$&')}*`
    let cursor = name === start ? first : '0'
    do {
      const place = `${name}.${cursor}`
      const reply = await run(SCAN, [cursor, pattern, String(batch)])
      const [next = '0', ...keys] = Buffer.from(reply as string | Uint8Array)
        .toString()
        .split('\0')
      cursor = next
      yield { place, keys: keys.map(key => key.slice(keyPrefix.length)) }
    } while (cursor !== '0')
  }
}
