/*
 * Installs what bench/package.json names, which is a package of its own: whoever works on koa-session should not
 * have to install load generators and other frameworks for it.
 */

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export function install(here = new URL('./', import.meta.url)) {
  const { dependencies } = JSON.parse(readFileSync(new URL('package.json', here), 'utf8'))
  const isMissing = name => !existsSync(new URL(`node_modules/${name}/package.json`, here))
  if (!Object.keys(dependencies).some(isMissing)) return
  // None of them needs its install script, and so none gets to run one.
  const parameters = ['ci', '--ignore-scripts', '--no-audit', '--no-fund']
  const shell = process.platform === 'win32'
  execFileSync('npm', parameters, { cwd: fileURLToPath(here), stdio: ['ignore', 2, 2], shell })
}
