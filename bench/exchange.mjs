/*
 * One request and its response within the process, because a network costs many times what a session does.
 * Both are Node's own objects on a socket that swallows what it is given, so cookies are really set, headers
 * really serialized and responses really ended. For whatever takes a request listener; `cookiesOf` is for what sets headers before `writeHead`.
 */

import { IncomingMessage, ServerResponse } from 'node:http'
import { Duplex } from 'node:stream'

export const socket = new Duplex({ decodeStrings: false, read() {}, write: (_chunk, _encoding, done) => done() })

// Resolves to the response once it has ended. The cookie is a Buffer, as `cookiesOf` returns it.
export function exchange(callback, cookie) {
  return new Promise(resolve => {
    const request = new IncomingMessage(socket)
    Object.assign(request, { method: 'GET', url: '/', httpVersionMajor: 1, httpVersionMinor: 1 })
    request.headers = { host: 'localhost', accept: 'text/html', connection: 'keep-alive' }
    // A new string each time, as the parser makes it: nothing may be remembered by its identity.
    if (cookie) request.headers.cookie = cookie.toString('latin1')
    const response = new ServerResponse(request)
    response.assignSocket(socket)
    response.on('finish', () => {
      response.detachSocket(socket)
      resolve(response)
    })
    callback(request, response)
  })
}

// What a client would send back after this response, as the value of its Cookie header.
export function cookiesOf(response) {
  const lines = [response.getHeader('Set-Cookie') ?? []].flat()
  return Buffer.from(lines.map(line => line.split(';')[0]).join('; '))
}
