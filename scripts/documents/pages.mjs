/* The documents of the project, as lines and blocks. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '../..')

/** Each document by its path; those that are not committed yet, too. */
export function pages() {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.md'], { cwd: root, encoding: 'utf8' })
  const paths = listed.split('\n').filter(path => path && existsSync(join(root, path)))
  return paths.map(path => ({ path, text: readFileSync(join(root, path), 'utf8') }))
}

/** Those for people who use the package. */
export const forUsers = () =>
  pages().filter(({ path }) => /^(README|MIGRATING|SECURITY|docs\/.*)\.md$|^docs\//.test(path))

/** The fenced blocks of a document: what stands behind the fence, the code, and the line. */
export function blocksOf({ path, text }) {
  return [...text.matchAll(/^```([^\n]*)\n([\s\S]*?)^```$/gm)].map(({ 1: info, 2: code, index }) => {
    const line = text.slice(0, index).split('\n').length
    return { info: info.trim(), code, name: `${path}:${line}` }
  })
}

/** A document without its code, its comments and its front matter; as many lines as before. */
export function withoutCode(text) {
  const blank = match => match.replace(/[^\n]/g, '')
  return text
    .replace(/^---\n[\s\S]*?\n---\n/, blank)
    .replace(/^```[\s\S]*?^```$/gm, blank)
    .replace(/<!--[\s\S]*?-->/g, blank)
}
