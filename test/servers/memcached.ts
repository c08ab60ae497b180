/* Memcached of the machine. */
import { join } from 'node:path'
import { type Found, folderOf, versionOf } from './found.ts'
import { freePort, makeFolder } from './place.ts'
import { launch, type Server } from './server.ts'

export function findMemcached(): Found {
  const folder = folderOf('memcached')
  if (folder) return { folder, version: versionOf(join(folder, 'memcached')) }
  return { missing: 'memcached is not installed: apt-get install memcached' }
}

/** `url` is an address, as clients take it. What is restarted is empty. */
export async function startMemcached(): Promise<Server> {
  const found = findMemcached()
  if (found.missing !== undefined) throw new Error(found.missing)
  const port = await freePort()
  // It asks for the user to be named when it is root.
  const user = process.getuid?.() === 0 ? ['-u', 'root'] : []
  return launch({
    command: join(found.folder, 'memcached'),
    args: ['-l', '127.0.0.1', '-p', String(port), '-U', '0', '-m', '64', '-vv', ...user],
    port,
    url: `127.0.0.1:${port}`,
    folder: makeFolder(),
    ready: /server listening/,
    endSignal: 'SIGTERM',
    crashSignal: 'SIGKILL',
  })
}
