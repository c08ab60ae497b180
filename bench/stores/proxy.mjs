/*
 * A TCP proxy on the loopback that counts what an application sends to a database: bytes both ways, and the commands.
 */

import { connect, createServer } from 'node:net'

/** Redis: each command is an array of strings. https://redis.io/docs/latest/develop/reference/protocol-spec/ */
function redisCommand(data) {
  const line = at => {
    const end = data.indexOf('\r\n', at)
    return end < 0 ? undefined : { number: Number(data.subarray(at + 1, end)), next: end + 2 }
  }
  let head = line(0)
  const count = head?.number
  let name
  for (let index = 0; head && index < count; index++) {
    const { number: length, next } = line(head.next) ?? {}
    if (length === undefined || next + length + 2 > data.length) return undefined
    name ??= data
      .subarray(next, next + length)
      .toString()
      .toUpperCase()
    head = { next: next + length + 2 }
  }
  return head && { length: head.next, name }
}

/**
 * PostgreSQL: a message is a letter and its length; of a query, simple or extended, one message has it carried out. The
 * first message of a connection has no letter. https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
function postgresMessage(data, isFirst) {
  const start = isFirst ? 0 : 1
  if (data.length < start + 4) return undefined
  const length = start + data.readUInt32BE(start)
  if (data.length < length) return undefined
  const name = isFirst ? undefined : { Q: 'query', E: 'query' }[String.fromCharCode(data[0])]
  return { length, name }
}

/** What a driver of MongoDB asks for itself. */
const OF_DRIVER = new Set(['hello', 'ismaster', 'ping', 'endSessions'])

/**
 * MongoDB: a message begins with its length, and the first name in the body of an OP_MSG is that of the command.
 * https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/
 */
function mongoMessage(data) {
  if (data.length < 16 || data.length < data.readInt32LE(0)) return undefined
  const isMessage = data.readInt32LE(12) === 2013
  const name = isMessage ? data.toString('latin1', 26, data.indexOf(0, 26)) : undefined
  return { length: data.readInt32LE(0), name: OF_DRIVER.has(name) ? undefined : name }
}

/** DynamoDB: a command is an HTTP request, and a header names it. */
function dynamodbRequest(data) {
  const end = data.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const head = data.toString('latin1', 0, end)
  const length = end + 4 + Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0)
  return data.length < length ? undefined : { length, name: /^x-amz-target: \w+\.(\w+)/im.exec(head)?.[1] }
}

export const protocols = {
  redis: redisCommand,
  postgres: postgresMessage,
  mongodb: mongoMessage,
  dynamodb: dynamodbRequest,
}

/** Stands before `port`; `take` gives what was counted since it was asked last. */
export async function startProxy(port, next) {
  let counted
  const reset = () => {
    counted = { commands: [], sent: 0, received: 0 }
  }
  reset()
  const sockets = new Set()
  const server = createServer(client => {
    const database = connect(port, '127.0.0.1')
    let rest = Buffer.alloc(0)
    let isFirst = true
    client.on('data', chunk => {
      counted.sent += chunk.length
      rest = Buffer.concat([rest, chunk])
      for (let found = next(rest, isFirst); found; found = next(rest, isFirst)) {
        if (found.name) counted.commands.push(found.name)
        rest = rest.subarray(found.length)
        isFirst = false
      }
    })
    database.on('data', chunk => {
      counted.received += chunk.length
    })
    for (const [from, to] of [
      [client, database],
      [database, client],
    ]) {
      sockets.add(from.setNoDelay())
      from.on('error', () => to.destroy())
      from.on('close', () => sockets.delete(from))
      from.pipe(to)
    }
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    port: server.address().port,
    take() {
      const taken = counted
      reset()
      return taken
    },
    stop() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
