/* nginx of the machine, with TLS: the configuration of the example examples/proxy, on other ports. */
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Found, folderOf } from './found.ts'
import { makeFolder } from './place.ts'
import { launch, type Server } from './server.ts'

export function findNginx(): Found {
  const folder = folderOf('nginx')
  if (!folder) return { missing: 'nginx is not installed: apt-get install nginx-light' }
  if (!folderOf('openssl')) return { missing: 'openssl is not installed: apt-get install openssl' }
  const { stderr } = spawnSync(join(folder, 'nginx'), ['-v'], { encoding: 'utf8' })
  return { folder, version: /\d+(?:\.\d+)+/.exec(stderr)?.[0] ?? 'of unknown version' }
}

/** `file`: its configuration, with the ports that `ports` replaces. */
export async function startNginx(
  file: URL,
  ports: Readonly<Record<string, number>>,
  httpsPort: number,
): Promise<Server> {
  const found = findNginx()
  if (found.missing !== undefined) throw new Error(found.missing)
  const folder = makeFolder()
  const text = readFileSync(file, 'utf8').replace(/(?<=:)\d{4}\b/g, port => String(ports[port]))
  writeFileSync(join(folder, 'nginx.conf'), text)
  const kind = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost'
  const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'certificate.pem')]
  execFileSync('openssl', [...kind.split(' '), ...files], { stdio: 'pipe' })
  return launch({
    command: join(found.folder, 'nginx'),
    args: [
      '-p',
      folder,
      '-c',
      join(folder, 'nginx.conf'),
      '-e',
      'stderr',
      '-g',
      'daemon off; error_log stderr notice;',
    ],
    port: httpsPort,
    url: `https://localhost:${httpsPort}`,
    folder,
    ready: /start worker process /,
    endSignal: 'SIGTERM',
    crashSignal: 'SIGTERM',
  })
}
