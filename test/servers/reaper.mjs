/*
 * Ends what a test process leaves behind. It exists because a process that is killed or crashes can't end its
 * servers: this one is told of every server and folder on its standard input, and does the rest when that closes, for
 * whatever reason. Lines of JSON: `{ watch: pid, signal }`, `{ forget: pid }`, `{ folder }`.
 */
import { rmSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'

/** How long (ms) a server has to end by its own signal, before it is killed. */
const PATIENCE = 3000

const signals = new Map()
const folders = new Set()

for await (const line of createInterface({ input: process.stdin })) {
  const { watch, signal, forget, folder } = JSON.parse(line)
  if (watch) signals.set(watch, signal)
  if (forget) signals.delete(forget)
  if (folder) folders.add(folder)
}
for (const [pid, signal] of signals) {
  send(pid, signal)
  // One that was stopped would not see it otherwise.
  send(pid, 'SIGCONT')
}
for (const end = Date.now() + PATIENCE; alive().length > 0 && Date.now() < end; ) await wait(20)
for (const pid of alive()) send(pid, 'SIGKILL')
for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 20 })

function alive() {
  return [...signals.keys()].filter(pid => send(pid, 0))
}

function send(pid, signal) {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}
