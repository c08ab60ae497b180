/* The programs of the servers on this machine: where they are, of which version, and why not. And the clients' versions. */
import { spawnSync } from 'node:child_process'
import { accessSync, constants, readdirSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A server that can be started, or the reason why not, with what to do about it. */
export type Found = { folder: string; version: string; missing?: undefined } | { missing: string }

/** Where Debian puts servers, which is on the path of root only. */
const SERVER_FOLDERS = ['/usr/sbin', '/usr/local/sbin']

/** The first folder of `PATH`, or of those for servers, that has all of the programs. */
export function folderOf(...programs: string[]): string | undefined {
  return folderWith([...(process.env.PATH ?? '').split(delimiter), ...SERVER_FOLDERS], programs)
}

export function folderWith(folders: readonly string[], programs: readonly string[]): string | undefined {
  return folders.find(folder => programs.every(program => isProgram(join(folder, program))))
}

/** The first number with points that the program prints when asked for its version. */
export function versionOf(program: string, before: readonly string[] = []): string {
  const { stdout } = spawnSync(program, [...before, '--version'], { encoding: 'utf8' })
  return /\d+(?:\.\d+)+/.exec(stdout ?? '')?.[0] ?? 'of unknown version'
}

/** The folders in `folder`, the one with the highest number first. */
export function numbered(folder: string): string[] {
  try {
    return readdirSync(folder)
      .sort((a, b) => Number(b) - Number(a))
      .map(name => join(folder, name))
  } catch {
    return []
  }
}

/** Read from the file: not every package lets its package.json be imported. */
export function versionOfPackage(name: string): string {
  const file = fileURLToPath(new URL(join('../../node_modules', name, 'package.json'), import.meta.url))
  const { version } = JSON.parse(readFileSync(file, 'utf8'))
  return String(version)
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
