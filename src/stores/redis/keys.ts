/** A walk through the keys of a server, or of each master of a cluster. */

/** What runs a script that has no key, on one server. */
interface Node {
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
  if (!Array.isArray(masters)) return [nodeOf(client)]
  const cluster = client as { nodeClient(node: unknown): object | Promise<object> }
  return Promise.all(masters.map(async master => nodeOf(await cluster.nodeClient(master))))
}

function nodeOf(client: object): Node {
  const { eval: run } = client as { eval(source: string, options: object): Promise<unknown> }
  return { keyPrefix: '', eval: (source, args) => run.call(client, source, { keys: [], arguments: [...args] }) }
}

/** Of a client of `ioredis`, a cluster or not. */
export async function mastersOf(client: object): Promise<readonly Node[]> {
  const { nodes } = client as { nodes?(role: string): readonly object[] }
  const all = typeof nodes === 'function' ? nodes.call(client, 'master') : [client]
  const { keyPrefix = '' } = (client as { options?: { keyPrefix?: string } }).options ?? {}
  return all.map(node => {
    const { eval: run } = node as { eval(source: string, keys: number, ...args: string[]): Promise<unknown> }
    return { keyPrefix, eval: (source, args) => run.call(node, source, 0, ...args) }
  })
}

/** Of a client of `@valkey/valkey-glide`, a cluster or not. */
export async function primariesOf(client: object): Promise<readonly Node[]> {
  const { customCommand, invokeScriptWithRoute } = client as {
    customCommand(command: readonly string[], options?: object): Promise<unknown>
    invokeScriptWithRoute?: unknown
  }
  const nodeAt = (options: object): Node => ({
    keyPrefix: '',
    eval: (source, args) => customCommand.call(client, ['EVAL', source, '0', ...args], options),
  })
  // Only a client of a cluster has routes.
  if (typeof invokeScriptWithRoute !== 'function') return [nodeAt({})]
  const slots = (await customCommand.call(client, ['CLUSTER', 'SLOTS'])) as SlotRange[]
  const primaries = new Map(slots.map(([, , [host, port]]) => [`${host}:${port}`, { host: String(host), port }]))
  return [...primaries.values()].map(place => nodeAt({ route: { type: 'routeByAddress', ...place } }))
}

type SlotRange = readonly [first: number, last: number, primary: readonly [host: unknown, port: number]]

/** The keys that begin with `prefix`. */
export async function* keysOn(
  nodes: Promise<readonly Node[]>,
  prefix: string,
  batch: number,
): AsyncIterable<readonly string[]> {
  for (const { keyPrefix, eval: run } of await nodes) {
    const pattern = `${(keyPrefix + prefix).replace(/[*?[\]\\]/g, '\\$&')}*`
    let cursor = '0'
    do {
      const reply = await run(SCAN, [cursor, pattern, String(batch)])
      const [next = '0', ...keys] = Buffer.from(reply as string | Uint8Array)
        .toString()
        .split('\0')
      cursor = next
      yield keys.map(key => key.slice(keyPrefix.length))
    } while (cursor !== '0')
  }
}
