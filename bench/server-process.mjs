/*
 * A server under load, in a process of its own, so that its processor time is nobody else's. It tells its port first and
 * then answers one message at a time, by IPC.
 */

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/*
 * Starts `file` with `parameters`; `name` is for errors. `ask` sends a message and resolves to its answer, `used` to the
 * processor time of the server so far, in seconds; `ended` resolves to its exit code.
 */
export async function startServer(file, parameters, name, execArgv = []) {
  const child = fork(fileURLToPath(file), parameters, { env: { ...process.env, NODE_ENV: 'production' }, execArgv })
  const ended = once(child, 'exit').then(([code]) => code)
  const failed = ended.then(code => Promise.reject(new Error(`the server of ${name} ended with ${code}`)))
  failed.catch(() => undefined)
  const next = async () => (await Promise.race([once(child, 'message'), failed]))[0]
  const ask = message => {
    const answer = next()
    child.send(message)
    return answer
  }
  const used = async () => {
    const { user, system } = (await ask('used')).used
    return (user + system) / 1e6
  }
  const { port } = await next()
  const stop = () => child.connected && child.disconnect()
  return { origin: `http://127.0.0.1:${port}`, pid: child.pid, ask, used, stop, ended }
}
