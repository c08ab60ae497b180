/* Servers that scripts/newer-servers.mjs has unpacked: run by the loader, and with the libraries, that came with them. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Found, versionOf } from './found.ts'

/** How a program is started. */
export interface Program {
  readonly command: string
  /** Before its own arguments. */
  readonly args: readonly string[]
}

const FOLDER = fileURLToPath(new URL('../../.cache/servers', import.meta.url))

/** A folder of what was unpacked, such as `usr/share/mysql`. */
export function newerFolder(...parts: readonly string[]): string {
  return join(FOLDER, ...parts)
}

/** The program `file`, such as `usr/bin/valkey-server`, if it was unpacked. */
export function newerProgram(file: string): Program | undefined {
  if (!existsSync(newerFolder(file))) return undefined
  const [libraries = ''] = readdirSync(newerFolder('usr', 'lib')).filter(name => name.endsWith('-linux-gnu'))
  const [loader = ''] = readdirSync(newerFolder('usr', 'lib', libraries)).filter(name => name.startsWith('ld-linux'))
  const place = newerFolder('usr', 'lib', libraries)
  return { command: join(place, loader), args: ['--library-path', place, newerFolder(file)] }
}

export function findNewer(file: string): Found {
  const program = newerProgram(file)
  if (program) return { folder: FOLDER, version: versionOf(program.command, program.args) }
  return { missing: 'it was not unpacked: node scripts/newer-servers.mjs' }
}
