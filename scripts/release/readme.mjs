/*
 * Gives the README of the package absolute links, and with `--restore` the one of the repository back: `prepack` and
 * `postpack`. It exists because the documents that the README links to are not in the package. What was there before is
 * kept in .cache/, so that a pack that was interrupted is mended by the next one.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withAbsoluteLinks } from './links.mjs'

const root = join(import.meta.dirname, '..', '..')
const readme = join(root, 'README.md')
const kept = join(root, '.cache', 'README.md')

if (existsSync(kept)) renameSync(kept, readme)
if (!process.argv.includes('--restore')) {
  const { repository, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const url = repository.url.replace(/^git\+|\.git$/g, '')
  const text = readFileSync(readme, 'utf8')
  mkdirSync(join(root, '.cache'), { recursive: true })
  writeFileSync(kept, text)
  writeFileSync(readme, withAbsoluteLinks(text, { url, ref: `v${version}` }))
}
