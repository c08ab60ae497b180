// A CommonJS module that is itself a function, `const session = require('koa-session')`, has the types of
// `export =`, which no bundler of types writes. So they are made here from those of the ES module: nothing
// but the imports and the exports differs. The types are there once: the ES module has its own function, and takes the rest from
// CommonJS, so that what an application declares (`declare module 'koa-session'`) holds for every entry.

import { readdir, readFile, writeFile } from 'node:fs/promises'

const DIST = new URL('../dist/', import.meta.url)
const IMPORT = /^import (\w+), (\{.*\}) from ("koa");$/m
const EXPORT = /^export \{(.*)\};\s*$/m
/** The function, and what is said of it. */
const FUNCTION = /\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n(?:declare function createSession.*\n)+/

const index = await readFile(new URL('index.d.mts', DIST), 'utf8')
const [exports, list] = index.match(EXPORT) ?? fail('an export list at the end')
if (!IMPORT.test(index)) fail('an import of koa, default and named')
const [createSession] = index.match(FUNCTION) ?? fail('a function createSession, with a comment')

await writeFile(
  new URL('index.d.cts', DIST),
  index
    // A default import would not compile for who has turned `esModuleInterop` off.
    .replace(IMPORT, 'import $1 = require($3);\nimport type $2 from $3;')
    // A function, as a name may have a `$`.
    .replace(EXPORT, () => `declare namespace createSession {\n  ${exports.trim()}\n}\nexport = createSession;\n`),
)
/** Under what they are exported, whatever they are called inside. */
const names = list.split(',').map(name => name.trim().replace(/[\w$]+ as (?!default)/, ''))
const others = names.filter(name => !name.startsWith('createSession'))
const needed = others.filter(name => new RegExp(`\\b${name.replace(/^type /, '')}\\b`).test(createSession))
await writeFile(
  new URL('index.d.mts', DIST),
  `import { ${needed.join(', ')} } from "./index.cjs";\nexport { ${others.join(', ')} } from "./index.cjs";\n` +
    `${createSession}export { createSession, createSession as default };\n`,
)
// The types of the others are there once. An ES module may take its types from CommonJS, and not the other way round.
for (const file of await readdir(DIST)) {
  if (!file.endsWith('.d.mts') || file === 'index.d.mts') continue
  const name = file.replace('.d.mts', '')
  const text = await readFile(new URL(file, DIST), 'utf8')
  await writeFile(new URL(`${name}.d.cts`, DIST), text.replace(/(from "\.\/\w+)\.mjs"/g, '$1.cjs"'))
  await writeFile(new URL(file, DIST), `export * from "./${name}.cjs";\n`)
}

function fail(expected) {
  throw new Error(`dist/index.d.mts: expected ${expected}`)
}
