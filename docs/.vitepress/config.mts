/* The site of the documents: `npm run docs` builds it, `npm run docs:dev` serves it. Nothing of it needs the network. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig } from 'vitepress'
import { slugOf } from '../../scripts/documents/links.mjs'
import { fenceCode, keepLinks } from './github.mjs'
import { titleOf, writeForModels } from './models.mjs'

const root = join(import.meta.dirname, '../..')
const { description, repository } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const source = repository.url.replace(/^git\+|\.git$/g, '')
const base = process.env.DOCS_BASE ?? '/'

/** The pages in their order, by the title of their group. */
const groups: Record<string, string[]> = {
  Begin: ['docs/getting-started', 'docs/signing-in', 'docs/ending-sessions', 'docs/recipes', 'examples/README'],
  'Look up': ['docs/options', 'docs/session-api', 'docs/events-and-errors', 'docs/command-line'],
  Understand: [
    'docs/cookies-and-sealing',
    'docs/lifetimes-and-revocation',
    'docs/parallel-requests',
    'docs/typescript',
  ],
  Stores: [
    'docs/stores/index',
    ...pagesIn('docs/stores').filter(page => page !== 'docs/stores/index'),
    'docs/clients',
    'docs/writing-a-store',
  ],
  Use: [
    'docs/deployment',
    'docs/data-that-changes',
    'docs/scale',
    'docs/testing',
    'docs/tracing-and-metrics',
    'docs/websockets-and-other-processes',
  ],
  'When it does not work': ['docs/troubleshooting', 'docs/faq', 'SECURITY'],
  Compare: ['MIGRATING', 'docs/comparison', 'docs/benchmarks'],
  'API reference': pagesIn('docs/api').filter(page => page !== 'docs/api/index'),
}
const ofTheProject = ['CHANGELOG', 'docs/releases', 'ARCHITECTURE', 'CONTRIBUTING']

export default defineConfig({
  title: 'koa-session',
  description,
  lang: 'en',
  base,
  cleanUrls: true,
  head: [['link', { rel: 'icon', href: iconOf('k') }]],
  // Pages stay where they are in the repository, so that a link is good there and here.
  srcDir: '..',
  srcExclude: ['{dist,reports,scripts,src,test}/**'],
  rewrites: page => page.replace(/README\.md$/, 'index.md'),
  ignoreDeadLinks: 'localhostLinks',
  markdown: {
    anchor: { slugify: slugOf },
    config: md => md.use(keepLinks, { root, source, isPage }).use(fenceCode),
  },
  themeConfig: {
    nav: [
      { text: 'Documents', link: '/docs/', activeMatch: '^/docs/(?!options|api)' },
      { text: 'Options', link: '/docs/options' },
      { text: 'API', link: '/docs/api/', activeMatch: '^/docs/api/' },
      { text: 'Changes', link: '/CHANGELOG' },
      { text: 'Source', link: source },
    ],
    sidebar: Object.entries({ ...groups, 'The project': ofTheProject }).map(([text, pages]) => ({
      text,
      collapsed: text === 'API reference',
      items: pages.map(page => ({ text: titleOf(read(page)), link: linkOf(page) })),
    })),
    outline: [2, 3],
    externalLinkIcon: true,
    search: {
      provider: 'local',
      options: {
        // What explains comes before what lists.
        miniSearch: { searchOptions: { boostDocument: id => (/\/(docs\/(?!api\/)|MIGRATING)/.test(id) ? 2 : 1) } },
      },
    },
  },
  vite: { build: { chunkSizeWarningLimit: 2000 } },
  buildEnd: ({ outDir }) =>
    writeForModels({
      root,
      outDir,
      base,
      title: 'koa-session',
      description,
      groups: { ...groups, Optional: ofTheProject },
    }),
})

/** Without `.md`, and from the root. */
function pagesIn(folder: string): string[] {
  if (!existsSync(join(root, folder))) return []
  const files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
  return files
    .filter(file => file.endsWith('.md'))
    .map(file => `${folder}/${file.slice(0, -3)}`)
    .sort()
}

function read(page: string) {
  return readFileSync(join(root, `${page}.md`), 'utf8')
}

function linkOf(page: string) {
  return `/${page.replace(/(index|README)$/, '')}`
}

function isPage(path: string) {
  return path.endsWith('.md') && !/^(\.|dist|reports|scripts|src|test)/.test(path)
}

function iconOf(letter: string) {
  const text = `<text x="16" y="23" text-anchor="middle" font-family="sans-serif" font-size="22" font-weight="bold" fill="#fff">${letter}</text>`
  const image = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#3451b2"/>${text}</svg>`
  return `data:image/svg+xml,${encodeURIComponent(image)}`
}
