import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'

type Headers = Readonly<Record<string, string | number | readonly string[]>>

/** A response that nobody receives. */
export function responseWith(headers: Headers = {}): ServerResponse {
  const res = new ServerResponse(new IncomingMessage(new Socket()))
  // A copy: a header that is appended is appended to the list that was given.
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, Array.isArray(value) ? [...value] : value)
  return res
}
