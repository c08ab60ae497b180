/*
 * The process of one variant as something to ask: one question at a time, each with a promise of its answer, so
 * that whoever measures can let the variants take turns.
 */

import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export function start(variant) {
  const child = fork(fileURLToPath(new URL('./child.mjs', import.meta.url)), [JSON.stringify(variant)], {
    env: { ...process.env, NODE_ENV: 'production' },
    // A small young generation makes every batch pay its share of collections, and one thread the same share.
    execArgv: ['--single-threaded-gc', '--min-semi-space-size=1', '--max-semi-space-size=1'],
  })
  let settle
  const answer = () =>
    new Promise((resolve, reject) => {
      settle = ({ value, error }) => (error ? reject(new Error(error)) : resolve(value))
    })
  child.on('message', message => settle(message))
  child.on('exit', code => settle({ error: `the process of ${Object.values(variant).join(', ')} ended with ${code}` }))
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
