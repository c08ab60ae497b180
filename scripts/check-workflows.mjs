/*
 * Checks .github/workflows with actionlint, which knows the syntax, the contexts, and with shellcheck what is run. It exists
 * because a mistake there is otherwise seen first when a release is on its way. It takes the actionlint of the machine, or
 * builds one into .cache/ where there is Go. Where there is neither, it says so; with CI=true that is a failure.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'

const VERSION = 'v1.7.12'
const root = join(import.meta.dirname, '..')
const folder = join(root, '.cache', 'actionlint')

const command = found()
if (command === undefined) {
  console.log('check:workflows: did not run, as neither actionlint nor Go is there')
  process.exitCode = process.env.CI === 'true' ? 1 : 0
} else {
  const { status } = spawnSync(command, ['-color=false'], { cwd: root, stdio: 'inherit' })
  console.log(`check:workflows: ${status === 0 ? 'no faults' : `status ${status}`}`)
  process.exitCode = status === 0 ? 0 : 1
}

function found() {
  if (isThere('actionlint', '-version')) return 'actionlint'
  const built = join(folder, 'actionlint')
  if (existsSync(built)) return built
  if (!isThere('go', 'version')) return undefined
  mkdirSync(folder, { recursive: true })
  const { status } = spawnSync('go', ['install', `github.com/rhysd/actionlint/cmd/actionlint@${VERSION}`], {
    env: { ...process.env, GOBIN: folder },
    stdio: 'inherit',
  })
  return status === 0 ? built : undefined
}

function isThere(name, question) {
  return spawnSync(name, [question], { stdio: 'ignore' }).status === 0
}
