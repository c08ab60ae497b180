// The sockets of the chat. A request that becomes a WebSocket does not pass through Koa, so that its session is read by
// openSession(). It is read again whenever a session of the user has ended, and now and then.
import { createHash } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import { openSession } from 'koa-session/open'
import { WebSocketServer } from 'ws'

// Codes of WebSockets: 1013 is "try again later", and those from 4000 on are an application's own.
const LATER = 1013
const SIGNED_OUT = 4001

// `options`: those of session(), with `keys`. `origin`: that of the pages which may open a socket.
export function createChat({ options, origin }) {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 2000 })
  const members = new Set()
  return { upgrade, check, close }

  // For the event "upgrade" of a server.
  async function upgrade(req, socket, head) {
    socket.on('error', () => socket.destroy())
    if (req.url !== '/chat') return refuse(socket, 404)
    // A page of any site may open a WebSocket, and browsers send it with the cookie. All of them say which page it is.
    if (req.headers.origin !== origin) return refuse(socket, 403)
    const { cookie } = req.headers
    try {
      const user = await userOf(cookie)
      if (user === undefined) return refuse(socket, 401)
      sockets.handleUpgrade(req, socket, head, connection => join({ connection, cookie, user }))
    } catch {
      refuse(socket, 503)
    }
  }

  function join(member) {
    const { connection, user } = member
    members.add(member)
    connection.on('close', () => members.delete(member))
    // What is too long, or no WebSocket: ws closes it.
    connection.on('error', () => undefined)
    // The name is that of the session, whatever the message says.
    connection.on('message', (data, isBinary) => isBinary || tellAll({ user, text: String(data) }))
    // The session may have ended after it was read, before this socket was among those that are checked.
    checkOne(member)
  }

  function tellAll(message) {
    for (const { connection } of members) connection.send(JSON.stringify(message))
  }

  // Closes the sockets whose session has ended: those of the user with this hash, as events have it, or of all. A session
  // that can't be read is not known to go on, so that its socket is closed, too.
  async function check(subjectHash) {
    const asked = [...members].filter(({ user }) => subjectHash === undefined || hashOf(user) === subjectHash)
    await Promise.all(asked.map(checkOne))
  }

  async function checkOne({ connection, cookie, user }) {
    const current = await userOf(cookie).catch(() => LATER)
    if (current !== user) connection.close(current === LATER ? LATER : SIGNED_OUT)
  }

  async function userOf(cookie) {
    const { session } = await openSession(cookie, options)
    return session?.user
  }

  function close() {
    for (const { connection } of members) connection.terminate()
  }
}

const hashOf = user => createHash('sha256').update(user).digest('base64url')

function refuse(socket, status) {
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}
