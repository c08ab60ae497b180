/** The code of a page of `docs/`, run as that of an application. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** What the block that begins with `// <name>.ts` exports. `instead`: what is imported in the place of packages. */
export async function recipe<Exports>(
  page: string,
  name: string,
  instead: Readonly<Record<string, string>> = {},
): Promise<Exports> {
  const text = readFileSync(join(root, 'docs', page), 'utf8')
  const [, code] = new RegExp(`\`\`\`ts\\n// ${name}\\.ts\\n([\\s\\S]*?)\`\`\``).exec(text) ?? []
  mkdirSync(join(root, '.cache'), { recursive: true })
  const folder = mkdtempSync(join(root, '.cache', 'recipe-'))
  after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, `${name}.ts`)
  const imported = (line: string, from: string) => line.replace(from, instead[from] ?? from)
  writeFileSync(file, (code ?? assert.fail(`${page} has no ${name}`)).replace(/^import .* from '(.*)'$/gm, imported))
  return import(pathToFileURL(file).href) as Promise<Exports>
}
