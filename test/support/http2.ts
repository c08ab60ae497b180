/** A visitor over one connection of HTTP/1 or HTTP/2 (without TLS): for what has to hold on both. */
import { type ClientHttp2Session, connect, createServer as createHttp2Server } from 'node:http2'
import type { TestContext as Test } from 'node:test'
import { type Answer, answered, type Head, listen, NO_ANSWER, shownBy, TOO_LONG, Visitor, visit } from './agent.ts'
import type { TestApp } from './koa.ts'

export { namesSet } from './agent.ts'

export const PROTOCOLS = ['HTTP/1', 'HTTP/2'] as const
export type Protocol = (typeof PROTOCOLS)[number]

/** Serves `app` over `protocol` on a free port of this machine until the test ends. */
export async function serve(test: Test, app: TestApp, protocol: Protocol): Promise<Visitor> {
  return protocol === 'HTTP/1' ? visit(test, app) : overHttp2(test, app)
}

async function overHttp2(test: Test, app: TestApp): Promise<Visitor> {
  // HTTP/2 has no messages beside its statuses, and Node ignores one that is set: it only takes another parameter.
  const callback = app.callback() as unknown as Parameters<typeof createHttp2Server>[1]
  const session = connect(await listen(test, createHttp2Server({}, callback)))
  test.after(() => session.destroy())
  const send = (method: string, path: string, headers: Head) =>
    exchange(session, { ...headers, ':method': method, ':path': path })
  return new Visitor(send, shownBy(test))
}

function exchange(session: ClientHttp2Session, head: Head): Promise<Omit<Answer, 'cookies'>> {
  return new Promise((resolve, reject) => {
    const stream = session.request(head)
    stream.on('error', reject)
    stream.setTimeout(TOO_LONG, () => stream.destroy(NO_ANSWER))
    stream.on('close', () => reject(new Error('the stream was closed without a response')))
    stream.on('response', ({ ':status': status, ...headers }) => {
      stream.removeAllListeners('close')
      answered(status, headers, stream).then(resolve, reject)
    })
  })
}
