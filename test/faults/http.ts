/* One request, as a browser sends it that keeps its connections. */
import { Agent, get, type IncomingMessage } from 'node:http'

export interface Reply {
  /** 0 where there was no answer. */
  readonly status: number
  /** That of the error which the application, or the connection, had. */
  readonly code: string
  readonly text: string
  readonly setCookie: readonly string[]
  /** From the question to the end of the answer. */
  readonly ms: number
}

export type Ask = (path: string, cookie?: string) => Promise<Reply>

/** Longer (ms) than any request may take: whoever waits for more waits for ever. */
const PATIENCE = 15_000

export function askOn(port: number, patience = PATIENCE): { ask: Ask; close(): void } {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  const ask: Ask = (path, cookie = '') => {
    const begin = performance.now()
    const options = { port, host: '127.0.0.1', path, agent, headers: { cookie }, timeout: patience }
    return new Promise(resolve => {
      const none = (error: Error & { code?: string }) =>
        resolve({
          ...{ status: 0, code: error.code ?? error.message, text: '', setCookie: [] },
          ms: performance.now() - begin,
        })
      const request = get(options, response => {
        read(response).then(text => resolve(replyOf(response, text, performance.now() - begin)), none)
      })
      request.on('timeout', () => request.destroy(new Error('NO_ANSWER')))
      request.on('error', none)
    })
  }
  return { ask, close: () => agent.destroy() }
}

async function read(response: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += chunk
  return text
}

function replyOf({ statusCode = 0, headers }: IncomingMessage, text: string, ms: number): Reply {
  const code = String(headers['x-error'] ?? '')
  return { status: statusCode, code, text, setCookie: headers['set-cookie'] ?? [], ms }
}

export const isGood = ({ status }: Reply) => status >= 200 && status < 300
