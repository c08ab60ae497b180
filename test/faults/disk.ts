/* A small disk that can be filled: a tmpfs, where the machine lets us mount one. */
import { execFileSync } from 'node:child_process'
import { chmodSync, closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { makeFolder, removeFolder } from '../servers/place.ts'

export interface Disk {
  readonly folder: string
  /** Takes all the room that is left. */
  fill(): void | Promise<void>
  /** Gives it back. */
  clear(): void
  remove(): void
}

const BLOCK = Buffer.alloc(64 * 1024)
const SMALL = Buffer.alloc(512)

/** `size`: as mount(8) takes it. Throws where it can't be mounted. */
export function mountDisk(size: string): Disk {
  const parent = makeFolder()
  // What runs as another user has to reach it.
  chmodSync(parent, 0o755)
  const folder = join(parent, 'disk')
  mkdirSync(folder)
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=1777`, 'tmpfs', folder], { stdio: 'pipe' })
  const ballast = join(folder, 'ballast')
  const remove = () => {
    process.off('exit', remove)
    execFileSync('umount', ['--lazy', folder])
    removeFolder(parent)
  }
  process.once('exit', remove)
  return { folder, fill: () => fill(ballast), clear: () => rmSync(ballast, { force: true }), remove }
}

function fill(file: string): void {
  const handle = openSync(file, 'a')
  for (const block of [BLOCK, SMALL]) while (hasRoom(handle, block));
  closeSync(handle)
}

function hasRoom(handle: number, block: Buffer): boolean {
  try {
    return writeSync(handle, block) === block.length
  } catch (error) {
    if (Object(error).code === 'ENOSPC') return false
    throw error
  }
}
