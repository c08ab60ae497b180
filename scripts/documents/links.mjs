/* Each link to a file of the project, and to a heading in one, leads somewhere. Each link by a name has an address, and each address a link. */
import { existsSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { pages, root, withoutCode } from './pages.mjs'

export function links(all = pages()) {
  const anchors = new Map(all.map(({ path, text }) => [path, anchorsOf(text)]))
  const found = all.flatMap(({ path, text }) => targetsIn(withoutCode(text)).map(target => ({ path, target })))
  const local = found.filter(({ target }) => !/^[a-z]+:/.test(target))
  const faults = local.flatMap(({ path, target }) => {
    const [file, anchor] = target.split('#')
    const to = file ? normalize(join(dirname(path), file)).replace(/\/$/, '') : path
    if (!existsSync(join(root, to))) return [`${path}: ${target} leads nowhere`]
    const known = anchors.get(to)
    return anchor && known && !known.has(anchor) ? [`${path}: ${target} is no heading`] : []
  })
  const named = all.flatMap(unmatched)
  return { checked: local.length, faults: [...faults, ...named] }
}

/** Of links and pictures in Markdown, with a title or without, and in HTML. */
function targetsIn(text) {
  const found = text.matchAll(/\]\(([^)\s]+)(?:\s+"[^"]*")?\)|\b(?:href|src)="([^"]+)"/g)
  return [...found].map(([, inMarkdown, inHtml]) => inMarkdown ?? inHtml)
}

/** Links as `[text][name]`, and addresses as `[name]: https://…`. */
function unmatched({ path, text }) {
  const defined = [...text.matchAll(/^\[([\w-]+)\]: \S+$/gm)].map(([, name]) => name)
  const used = [...withoutCode(text).matchAll(/\]\[([\w-]+)\]/g)].map(([, name]) => name)
  return [
    ...new Set(used.filter(name => !defined.includes(name)).map(name => `${path}: the link [${name}] has no address`)),
    ...defined.filter(name => !used.includes(name)).map(name => `${path}: no link has the address [${name}]`),
  ]
}

/** The names of the headings, as GitHub makes them; a heading of a name that was there has a number. */
function anchorsOf(text) {
  const known = new Set()
  for (const { 1: heading } of withoutCode(text).matchAll(/^#{1,6} (.+)$/gm)) {
    const given = /\{#([\w-]+)\}\s*$/.exec(heading)?.[1]
    const name = given ?? slugOf(heading)
    let free = name
    for (let number = 1; known.has(free); number++) free = `${name}-${number}`
    known.add(free)
  }
  return known
}

export function slugOf(heading) {
  const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[`*]/g, '')
  return plain
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-')
}
