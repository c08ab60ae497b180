/*
 * The process of one variant as something to ask: one question at a time, each with a promise of its answer, so
 * that whoever measures can let the variants take turns.
 */

import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/*
 * Runs `file` with `parameters`. A small young generation, in megabytes, makes every batch pay its share of
 * collections; on one thread they cost the same whether or not another core is free to help.
 */
export function start(file, parameters, { semiSpace = 1, execArgv = [] } = {}) {
  const size = ['min', 'max'].map(bound => `--${bound}-semi-space-size=${semiSpace}`)
  const child = fork(fileURLToPath(file), parameters, {
    env: { ...process.env, NODE_ENV: 'production' },
    execArgv: ['--single-threaded-gc', ...size, ...execArgv],
  })
  let settle
  const answer = () =>
    new Promise((resolve, reject) => {
      settle = ({ value, error }) => (error ? reject(new Error(error)) : resolve(value))
    })
  child.on('message', message => settle(message))
  child.on('exit', code => settle({ error: `the process of ${parameters.join(', ')} ended with ${code}` }))
  return {
    ready: answer(),
    stop: () => child.connected && child.disconnect(),
    ask(...message) {
      const promise = answer()
      child.send(message)
      return promise
    },
  }
}
