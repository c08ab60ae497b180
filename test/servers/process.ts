/* What one process and its children are: to stop, to kill and to wait for all of them. */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'

/** The process and its children, as PostgreSQL has one for each connection. Only the process where there is no /proc. */
export function family(pid: number): number[] {
  const children = entries()
    .map(Number)
    .filter(other => stat(other)?.parent === pid)
  return [pid, ...children]
}

/** Sends a signal; what has ended in the meantime needs none. */
export function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

/** Waits until none of the processes runs, or `patience` (ms) is over; says whether all have ended. */
export async function ended(pids: readonly number[], patience: number): Promise<boolean> {
  for (const end = Date.now() + patience; Date.now() < end; await wait(10)) {
    if (!pids.some(runs)) return true
  }
  return false
}

/** A process that ended and that nobody has asked for its status is there, and runs no more. */
function runs(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return stat(pid)?.state !== 'Z'
  } catch {
    return false
  }
}

function entries(): string[] {
  try {
    return readdirSync('/proc').filter(name => /^\d+$/.test(name))
  } catch {
    return []
  }
}

function stat(pid: number): { state: string | undefined; parent: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // proc(5): `pid (name) state parent …`, and the name can contain anything.
    const [state, parent] = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { state, parent: Number(parent) }
  } catch {
    return undefined
  }
}
