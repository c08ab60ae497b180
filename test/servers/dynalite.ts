/* What stands for DynamoDB: npm's dynalite, in a process of its own. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Found, versionOfPackage } from './found.ts'
import { freePort, makeFolder } from './place.ts'
import { launch, type Server } from './server.ts'

const folder = fileURLToPath(new URL('../../node_modules/dynalite', import.meta.url))

export function findDynalite(): Found {
  return { folder, version: versionOfPackage('dynalite') }
}

/** Keeps what was answered over a restart. */
export async function startDynalite(): Promise<Server> {
  const port = await freePort()
  const place = makeFolder()
  return launch({
    command: process.execPath,
    args: [
      join(folder, 'cli.js'),
      '--port',
      String(port),
      '--host',
      '127.0.0.1',
      '--path',
      join(place, 'data'),
      '--createTableMs',
      '1',
    ],
    port,
    url: `http://127.0.0.1:${port}`,
    folder: place,
    ready: /listening at/,
    endSignal: 'SIGTERM',
    crashSignal: 'SIGKILL',
  })
}
