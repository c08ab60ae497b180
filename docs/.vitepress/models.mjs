/* The documents for language models: llms.txt names them, llms-full.txt has them, and each page is there as Markdown. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * `groups`: the pages by the title of their group, as paths without `.md` from `root`. What a reader can do without is in
 * the group `Optional`, and in llms.txt alone.
 */
export function writeForModels({ root, outDir, base, title, description, groups }) {
  const read = page => readFileSync(join(root, `${page}.md`), 'utf8')
  const write = (file, text) => {
    mkdirSync(dirname(join(outDir, file)), { recursive: true })
    writeFileSync(join(outDir, file), text)
  }
  const head = `# ${title}\n\n> ${description}\n`
  const sections = Object.entries(groups).map(([group, pages]) => {
    const lines = pages.map(page => `- [${titleOf(read(page))}](${base}${page}.md)${told(firstSentenceOf(read(page)))}`)
    return `\n## ${group}\n\n${lines.join('\n')}\n`
  })
  write('llms.txt', head + sections.join(''))
  const { Optional, ...needed } = groups
  const full = Object.values(needed).flat().map(read)
  write('llms-full.txt', [head, ...full].join('\n'))
  for (const page of Object.values(groups).flat()) write(`${page}.md`, read(page))
}

/** The first heading of a page, without its marks. */
export const titleOf = text => /^# (.+)$/m.exec(text)[1].replace(/[`*]/g, '')

/** Of the first paragraph, without its links. */
function firstSentenceOf(text) {
  const paragraph = text.split(/\n\n+/).find(part => /^[\p{L}`[]/u.test(part)) ?? ''
  const plain = paragraph.replace(/\s+/g, ' ').replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
  return /^.*?[.:](?= |$)/.exec(plain)?.[0].replace(/:$/, '.') ?? ''
}

const told = sentence => (sentence ? `: ${sentence}` : '')
