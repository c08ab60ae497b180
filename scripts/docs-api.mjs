/*
 * Makes docs/api/ of the doc comments: a page for each entry point of the package. The pages are not committed, so that a
 * comment and its page cannot say different things.
 */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Application, Converter } from 'typedoc'

const root = join(import.meta.dirname, '..')
const read = file => JSON.parse(readFileSync(join(root, file), 'utf8'))
const { paths } = read('tsconfig.json').compilerOptions
const entries = Object.entries(paths).map(([name, [file]]) => ({ name, file: resolve(root, file) }))
const source = read('package.json').repository.url.replace(/^git\+|\.git$/g, '')

const app = await Application.bootstrapWithPlugins({
  plugin: ['typedoc-plugin-markdown'],
  entryPoints: entries.map(({ file }) => file),
  tsconfig: join(root, 'docs/.vitepress/api.json'),
  basePath: root,
  disableGit: true,
  sourceLinkTemplate: `${source}/blob/main/src/{path}#L{line}`,
  excludeExternals: true,
  excludeInternal: true,
  readme: 'none',
  name: 'API reference',
  router: 'module',
  entryFileName: 'index',
  modulesFileName: 'modules',
  useHTMLAnchors: true,
  groupOrder: ['Functions', 'Classes', '*'],
  hidePageHeader: true,
  hideBreadcrumbs: true,
  useCodeBlocks: true,
  parametersFormat: 'table',
  out: join(root, 'docs/api'),
  logLevel: 'Warn',
})
// A module is called what an application imports.
app.converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => {
  for (const module of project.children ?? []) {
    const entry = entries.find(({ file }) => file === module.sources?.[0]?.fullFileName)
    if (entry) module.name = entry.name
  }
})
const project = await app.convert()
if (!project) process.exit(1)
await app.generateOutputs(project)
if (app.logger.hasErrors()) process.exit(1)
