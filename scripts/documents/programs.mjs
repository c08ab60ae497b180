/* Each block that begins with "ts run" is a whole program. It prints what the next block, of text, says. */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import ts from 'typescript'
import { blocksOf, forUsers, root } from './pages.mjs'

const folder = join(root, '.cache', 'programs')
const run = promisify(execFile)
const PATIENCE = 60_000

export async function programs() {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const found = forUsers().flatMap(page => {
    const blocks = blocksOf(page)
    return blocks.flatMap((block, at) => (block.info === 'ts run' ? [{ ...block, expected: blocks[at + 1] }] : []))
  })
  const waiting = [...found]
  const faults = []
  const work = async () => {
    for (let one = waiting.shift(); one; one = waiting.shift()) faults.push(...(await faultsOf(one)))
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
  return { checked: found.length, faults }
}

async function faultsOf({ code, name, expected }) {
  if (expected?.info !== 'text') return [`${name}: no block of text says what the program prints`]
  const path = join(folder, `${name.replace(/\W/g, '-')}.mjs`)
  const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 }
  writeFileSync(path, ts.transpileModule(code, { compilerOptions: options }).outputText)
  try {
    const env = { ...process.env, SESSION_KEYS: randomBytes(32).toString('base64url') }
    const { stdout, stderr } = await run(process.execPath, [path], { cwd: root, env, timeout: PATIENCE })
    if (stderr) return [`${name}: it printed to stderr: ${stderr.trim()}`]
    return stdout === expected.code ? [] : [`${name}: it printed\n${stdout}and ${expected.name} says\n${expected.code}`]
  } catch (error) {
    return [`${name}: ${error.stderr || error.message}`]
  }
}
