// What was built, made a quarter of its size, for everybody who installs the package.
//
// A source map says of each line of dist/ which line of src/ it comes from, and nothing more: the code is not minified,
// so that columns tell nobody anything, and the source is in the repository. As they were built, the maps were two thirds
// of the package. CommonJS, whose lines are nearly the same, has none. And the kit for tests is there once, as CommonJS, which an ES module may import.

import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { decode, encode } from '@jridgewell/sourcemap-codec'

const DIST = new URL('../dist/', import.meta.url)
const KIT = 'testing'

const names = Object.keys(createRequire(DIST)(fileURLToPath(new URL(`${KIT}.cjs`, DIST))))
await writeFile(new URL(`${KIT}.mjs`, DIST), `export { ${names.join(', ')} } from "./${KIT}.cjs";\n`)
await rm(new URL(`${KIT}.mjs.map`, DIST))

for (const file of await readdir(DIST)) {
  if (file.endsWith('.cjs')) {
    const text = await readFile(new URL(file, DIST), 'utf8')
    await writeFile(new URL(file, DIST), text.replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n'))
  }
  if (file.endsWith('.cjs.map')) await rm(new URL(file, DIST))
  if (!file.endsWith('.mjs.map')) continue
  const { version, sources, mappings } = JSON.parse(await readFile(new URL(file, DIST), 'utf8'))
  const lines = encode(decode(mappings).map(startOf))
  await writeFile(new URL(file, DIST), JSON.stringify({ version, sources, names: [], mappings: lines }))
}

/** A segment for the whole line, from its first column on, where it comes from the source. */
function startOf(segments) {
  const first = segments.find(segment => segment.length > 1)
  return first ? [[0, first[1], first[2], 0]] : []
}
