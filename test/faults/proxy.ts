/* A TCP proxy that does to a connection what networks do: to the replies of a server, while it is told to. */
import { once } from 'node:events'
import { type AddressInfo, createServer, connect as open, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * `cut`: half of a reply, and the end of the connection. `reset`: a reset in the place of a reply, so that what was asked
 * has been done and nobody was told. `slow`: every reply comes later. `cut` and
 * `reset` leave connections alone that are being made; `greeting` resets those, too.
 */
export type Mode = 'pass' | 'cut' | 'reset' | 'slow' | 'greeting'

export interface TcpProxy {
  readonly port: number
  mode: Mode
  /** The port that new connections go to. */
  target: number
  close(): void
}

/** How late (ms) a slow reply is. */
const DELAY = 200
/** Of so many replies one is cut or reset: clients come back in between, and lose others. */
const EVERY = 25
/** So many replies belong to a connection that is being made. */
const GREETING = 8

interface Wire {
  readonly client: Socket
  readonly server: Socket
  replies: number
  /** When all that came before has been forwarded. */
  turn: Promise<void>
}

/** A proxy before a server on a loopback port. */
export async function startProxy(first: number): Promise<TcpProxy> {
  const wires = new Set<Wire>()
  const state: { mode: Mode; replies: number; target: number } = { mode: 'pass', replies: 0, target: first }
  const listener = createServer({ noDelay: true }, client => {
    const wire: Wire = {
      client,
      server: open({ port: state.target, host: '127.0.0.1', noDelay: true }),
      replies: 0,
      turn: Promise.resolve(),
    }
    wires.add(wire)
    join(wire, chunk => answer(wire, chunk))
    client.once('close', () => wires.delete(wire))
  })

  function answer(wire: Wire, chunk: Buffer): void {
    const { mode } = state
    wire.replies++
    const isSpared = mode === 'slow' || mode === 'pass' || (mode !== 'greeting' && wire.replies <= GREETING)
    if (isSpared || ++state.replies % EVERY !== 0) inTurn(wire, chunk, mode === 'slow' ? DELAY : 0)
    else breakOff(wire, chunk, mode)
  }

  await once(listener.listen(0, '127.0.0.1'), 'listening')
  return {
    port: (listener.address() as AddressInfo).port,
    get mode() {
      return state.mode
    },
    set mode(mode) {
      state.mode = mode
    },
    get target() {
      return state.target
    },
    set target(port) {
      state.target = port
    },
    close() {
      listener.close()
      for (const { client, server } of wires) for (const end of [client, server]) end.destroy()
    },
  }
}

function join({ client, server }: Wire, answer: (chunk: Buffer) => void): void {
  client.on('data', chunk => forward(server, chunk))
  server.on('data', answer)
  // What is under way when one side ends is not worth more than what a network keeps.
  for (const [end, other] of [
    [client, server],
    [server, client],
  ] as const) {
    end.on('error', () => other.destroy())
    end.on('end', () => other.end())
    end.on('close', () => other.destroy())
  }
}

/** What comes when replies are no longer slow must not overtake those that still are. */
function inTurn(wire: Wire, chunk: Buffer, delay: number): void {
  const due = performance.now() + delay
  wire.turn = wire.turn.then(async () => {
    const rest = due - performance.now()
    if (rest > 0) await sleep(rest)
    forward(wire.client, chunk)
  })
}

function forward(to: Socket, chunk: Buffer): void {
  if (to.writable) to.write(chunk)
}

function breakOff({ client, server }: Wire, chunk: Buffer, mode: Mode): void {
  server.removeAllListeners('data')
  if (mode === 'cut') client.end(chunk.subarray(0, chunk.length >> 1))
  else client.resetAndDestroy()
}
