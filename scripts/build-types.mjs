// A CommonJS module that is itself a function, `const session = require('koa-session')`, has the types of
// `export =`, which no bundler of types writes. So they are made here from those of the ES module: nothing
// but the imports and the exports differs.

import { readdir, readFile, writeFile } from 'node:fs/promises'

const DIST = new URL('../dist/', import.meta.url)
const IMPORT = /^import (\w+), (\{.*\}) from ("koa");$/m
const EXPORT = /^export \{(.*)\};\s*$/m

const index = await readFile(new URL('index.d.mts', DIST), 'utf8')
const [exports] = index.match(EXPORT) ?? fail('an export list at the end')
if (!IMPORT.test(index)) fail('an import of koa, default and named')

await writeFile(
  new URL('index.d.cts', DIST),
  index
    // A default import would not compile for who has turned `esModuleInterop` off.
    .replace(IMPORT, 'import $1 = require($3);\nimport type $2 from $3;')
    .replace(EXPORT, `declare namespace createSession {\n  ${exports.trim()}\n}\nexport = createSession;\n`),
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
