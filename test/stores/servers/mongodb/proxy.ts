/*
 * Between a driver and a server of MongoDB: looks at each command, and cuts the connection before it or after it, or
 * answers what a replica set answers that has another primary, is interrupted, or can't reach a majority. A server that
 * stands alone it makes the only one of a replica set, since a driver repeats nothing that it asks of one that is none.
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { BSON } from 'mongodb'

/** What happens to one command. `isDone`: whether the server has carried it out. */
export interface Fault {
  readonly title: string
  readonly isDone: boolean
  /** Absent: the connection is cut. */
  readonly answer?: object
  /** What others do before the connection is cut. */
  readonly meanwhile?: () => unknown
}

const LABELS = { errorLabels: ['RetryableWriteError'] }
const NOT_PRIMARY = { ok: 0, code: 10107, codeName: 'NotWritablePrimary', errmsg: 'not primary', ...LABELS }
const INTERRUPTED = {
  ok: 0,
  code: 11600,
  codeName: 'InterruptedAtShutdown',
  errmsg: 'interrupted at shutdown',
  ...LABELS,
}
const CONFLICT = { ok: 0, code: 112, codeName: 'WriteConflict', errmsg: 'WriteConflict' }
/** Is added to what the server has answered. */
const FAILED = {
  writeConcernError: { code: 64, codeName: 'WriteConcernFailed', errmsg: 'waiting for replication timed out' },
}

export const FAULTS = {
  cutBefore: { title: 'is cut off before it', isDone: false },
  cutAfter: { title: 'is cut off after it', isDone: true },
  notPrimary: { title: 'is not the primary', isDone: false, answer: NOT_PRIMARY },
  interrupted: { title: 'is interrupted before it', isDone: false, answer: INTERRUPTED },
  interruptedAfter: { title: 'is interrupted after it', isDone: true, answer: INTERRUPTED },
  writeConflict: { title: 'answers a write conflict', isDone: false, answer: CONFLICT },
  writeConcern: { title: 'could not reach a majority', isDone: true, answer: FAILED },
} satisfies Record<string, Fault>

export interface FaultyProxy {
  readonly port: number
  /** The next command of that name has the fault, and the next ones after it, `times` in all. */
  fail(command: string, fault: Fault, times?: number): void
  /** The names of the commands that came since this was called last, without those of the driver itself, and their bytes. */
  commands(): { readonly names: readonly string[]; readonly bodies: readonly BSON.Document[]; readonly bytes: number }
  /** What every command of that name is answered, in place of the server's answer. */
  answers: Map<string, object>
  stop(): Promise<void>
}

/** Where the body of a message begins: OP_MSG, and the old OP_QUERY and OP_REPLY, in which drivers say hello. */
const OP_REPLY = 1
const OP_QUERY = 2004
const OP_MSG = 2013
const HELLO = /^(hello|ismaster)$/i
const OWN = /^(hello|ismaster|endSessions|ping|saslStart|saslContinue|buildInfo)$/i

export async function startProxy(serverPort: number, host = '127.0.0.1'): Promise<FaultyProxy> {
  const planned: Array<{ command: string; fault: Fault; times: number }> = []
  const answers = new Map<string, object>()
  const sockets = new Set<Socket>()
  let bodies: BSON.Document[] = []
  let bytes = 0

  function faultFor(command: string): Fault | undefined {
    const at = planned.findIndex(one => one.command === command)
    const plan = planned[at]
    if (plan && --plan.times === 0) planned.splice(at, 1)
    return plan?.fault
  }

  const server = createServer(client => {
    const upstream = connect(serverPort, host)
    /** What is to be done with the answers, by the ids of their requests. */
    const pending = new Map<number, (message: Buffer) => Buffer | undefined>()
    const end = () => {
      client.destroy()
      upstream.destroy()
    }
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', end).on('close', () => {
        sockets.delete(socket)
        end()
      })
    }

    client.on(
      'data',
      messages(message => {
        const id = message.readInt32LE(4)
        const body = bodyOf(message)
        const [command = ''] = Object.keys(body)
        if (!OWN.test(command)) {
          bodies.push(body)
          bytes += message.length
        }
        const answer = answers.get(command)
        if (answer) return void client.write(answerTo(id, answer))
        if (HELLO.test(command)) pending.set(id, reply => withBody(reply, memberOf(bodyOf(reply), portOf(server))))
        const fault = faultFor(command)
        if (!fault) return void upstream.write(message)
        const cut = () => void Promise.resolve(fault.meanwhile?.()).finally(end)
        if (!fault.isDone) return fault.answer ? void client.write(answerTo(id, fault.answer)) : cut()
        pending.set(id, reply => {
          if (!fault.answer) return cut() as undefined
          return 'ok' in fault.answer
            ? answerTo(id, fault.answer)
            : withBody(reply, { ...bodyOf(reply), ...fault.answer })
        })
        upstream.write(message)
      }),
    )
    upstream.on(
      'data',
      messages(message => {
        const id = message.readInt32LE(8)
        const made = pending.get(id)
        pending.delete(id)
        const reply = made ? made(message) : message
        if (reply && !client.destroyed) client.write(reply)
      }),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  return {
    port: portOf(server),
    answers,
    fail(command, fault, times = 1) {
      planned.push({ command, fault, times })
    },
    commands() {
      const seen = { names: bodies.map(body => Object.keys(body)[0] ?? ''), bodies, bytes }
      bodies = []
      bytes = 0
      return seen
    },
    async stop() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

function portOf(server: ReturnType<typeof createServer>): number {
  return (server.address() as AddressInfo).port
}

/** The member of a replica set that is at `port`: the only one. */
function memberOf(hello: BSON.Document, port: number): BSON.Document {
  const me = `127.0.0.1:${port}`
  const own = { setVersion: 1, logicalSessionTimeoutMinutes: 30 }
  return { ...own, ...hello, setName: 'rs', hosts: [me], me, primary: me, secondary: false }
}

/** Calls `take` with each whole message. */
function messages(take: (message: Buffer) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0)
  return chunk => {
    rest = Buffer.concat([rest, chunk])
    while (rest.length >= 4 && rest.length >= rest.readInt32LE(0)) {
      const length = rest.readInt32LE(0)
      const message = rest.subarray(0, length)
      rest = rest.subarray(length)
      take(message)
    }
  }
}

function startOf(message: Buffer): number {
  const opcode = message.readInt32LE(12)
  if (opcode === OP_MSG) return 16 + 4 + 1
  if (opcode === OP_REPLY) return 16 + 20
  if (opcode === OP_QUERY) return message.indexOf(0, 20) + 1 + 8
  throw new Error(`the message has opcode ${opcode}`)
}

function bodyOf(message: Buffer): BSON.Document {
  const start = startOf(message)
  return BSON.deserialize(message.subarray(start, start + message.readInt32LE(start)))
}

function withBody(message: Buffer, body: BSON.Document): Buffer {
  const head = Buffer.from(message.subarray(0, startOf(message)))
  const whole = Buffer.concat([head, BSON.serialize(body)])
  whole.writeInt32LE(whole.length, 0)
  return whole
}

function answerTo(id: number, body: object): Buffer {
  const head = Buffer.alloc(21)
  head.writeInt32LE(id, 8)
  head.writeInt32LE(OP_MSG, 12)
  const whole = Buffer.concat([head, BSON.serialize(body)])
  whole.writeInt32LE(whole.length, 0)
  return whole
}
