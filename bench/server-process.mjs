/*
 * A server under load, in a process of its own, so that its processor time is nobody else's. It tells its port first and
 * then answers one message at a time, by IPC.
 */

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/*
 * Starts `file` with `parameters`; `name` is for errors. `ask` sends a message and resolves to its answer, `used` to the
 * processor time of the server so far, in seconds; `stop` has it end, and `ended` resolves to its exit code.
 */
export async function startServer(file, parameters, name, execArgv = []) {
  const child = fork(fileURLToPath(file), parameters, { env: { ...process.env, NODE_ENV: 'production' }, execArgv })
  const ended = once(child, 'exit').then(([code]) => code)
  const failed = ended.then(code => Promise.reject(new Error(`the server of ${name} ended with ${code}`)))
  failed.catch(() => undefined)
  const next = async () => (await Promise.race([once(child, 'message'), failed]))[0]
  let last = next()
  const ask = message => {
    last = last.then(() => {
      const answer = next()
      child.send(message)
      return answer
    })
    return last
  }
  const used = async () => {
    const { user, system } = (await ask('used')).used
    return (user + system) / 1e6
  }
  const { port } = await last
  const stop = () => {
    if (child.connected) child.disconnect()
    return ended
  }
  return { origin: `http://127.0.0.1:${port}`, ask, used, stop, ended, kill: () => child.kill('SIGKILL') }
}
