/** The rights that the documents name, as the tests give them. */
import { readFileSync } from 'node:fs'

const PAGE = new URL('../../../docs/clients.md', import.meta.url)

/** The statements of the block that begins with the comment `-- name`. */
export function grantsIn(name: string): string[] {
  const text = readFileSync(PAGE, 'utf8')
  const [, block] = new RegExp(`\`\`\`sql\\n-- ${name}\\b[^\\n]*\\n([^\`]*)\`\`\``).exec(text) ?? []
  if (block === undefined) throw new Error(`docs/clients.md has no grants for ${name}`)
  return block
    .split(';')
    .map(statement => statement.trim())
    .filter(statement => statement !== '')
}

/** What `ACL SETUSER` is given, in the block of the page. */
export function aclIn(): string[] {
  const [, block] = /```\nACL SETUSER ([^`]*)```/.exec(readFileSync(PAGE, 'utf8')) ?? []
  if (block === undefined) throw new Error('docs/clients.md has no ACL')
  return block.trim().split(/[\s\\]+/)
}
