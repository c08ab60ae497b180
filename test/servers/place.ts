/*
 * Where a server of the tests lives: a folder and a port of its own, watched by a process that tidies up when this one
 * is killed.
 */
import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface User {
  uid: number
  gid: number
}

/** Below the ports that systems give to outgoing connections, so that none of those takes one while a server is down. */
const FIRST_PORT = 12_000
const LAST_PORT = 22_000

let reaper: ReturnType<typeof startReaper> | undefined

function startReaper() {
  const file = fileURLToPath(new URL('reaper.mjs', import.meta.url))
  // In a session of its own: the interrupt key of a terminal would end it with the tests.
  const child = spawn(process.execPath, [file], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  child.unref()
  const input = child.stdin
  if ('unref' in input && typeof input.unref === 'function') input.unref()
  return input
}

/** Tells the process that outlives this one what it has to end and to remove, and what no longer. */
export function tellReaper(what: { watch: number; signal: string } | { forget: number } | { folder: string }): void {
  reaper ??= startReaper()
  reaper.write(`${JSON.stringify(what)}\n`)
}

/** A new folder in the system's one for temporary files. It is removed at the end of this process, if not before. */
export function makeFolder(owner?: User): string {
  const folder = mkdtempSync(join(tmpdir(), 'koa-session-'))
  tellReaper({ folder })
  if (owner) chownSync(folder, owner.uid, owner.gid)
  return folder
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 20 })
}

/** A loopback port that is free, as are those at the distances of `also` from it. */
export async function freePort(also: readonly number[] = []): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST_PORT, LAST_PORT)
    const free = await Promise.all([0, ...also].map(distance => isFree(port + distance)))
    if (free.every(Boolean)) return port
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening')
    return true
  } catch {
    return false
  } finally {
    server.close()
  }
}
