/* What is good on GitHub, made good on the site. */
import { existsSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

/**
 * A plugin of markdown-it. A folder is at its README, which is its index, and what is no page of the site (a source, the
 * licence) is at `source`, the repository. `isPage` says it of a path from `root`.
 */
export function keepLinks(md, { root, source, isPage }) {
  const hrefOf = (file, path) => {
    if (existsSync(join(root, path, 'README.md'))) return `${file.replace(/\/$/, '')}/index.md`
    return isPage(path) ? file.replace(/README\.md$/, 'index.md') : `${source}/blob/main/${path}`
  }
  md.core.ruler.push('keep-links', ({ tokens, env }) => {
    const links = tokens.flatMap(({ children }) => children ?? []).filter(({ type }) => type === 'link_open')
    for (const link of links) {
      const [, file, anchor] = /^([^#]*)(.*)$/.exec(link.attrGet('href'))
      if (file === '' || /^[a-z]+:/.test(file)) continue
      const path = relative(root, resolve(dirname(env.realPath ?? env.path), file))
      link.attrSet('href', hrefOf(file, path) + anchor)
    }
  })
}

/** A plugin of markdown-it. Code that is indented, in doc comments, looks as if it stood in a fence. */
export function fenceCode(md) {
  md.core.ruler.push('fence-code', ({ tokens }) => {
    const blocks = tokens.filter(({ type }) => type === 'code_block')
    for (const block of blocks) Object.assign(block, { type: 'fence', info: 'ts', markup: '```' })
  })
}
