/*
 * Makes JavaScript of tests and of all that they import, a module of each, for processes that load many of them: the loader
 * of tsx asks another thread for each module, in each process, which takes longer than most files of tests. What a module
 * finds by `import.meta.url` it finds as in the source.
 */
import { mkdirSync, mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'tsdown'

const asInSource = {
  name: 'as-in-source',
  transform: (code, id) => code.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(id).href)),
}

/** A new folder in `root`, below which packages are found as from there, with `files` as `.mjs` under the same paths. */
export async function transpiled(files, root) {
  mkdirSync(join(root, '.cache'), { recursive: true })
  const outDir = mkdtempSync(join(root, '.cache', 'tests-'))
  const output = { config: false, outDir, clean: false, dts: false, report: false, sourcemap: true, logLevel: 'error' }
  // Packages stay outside: `originals.ts` knows their functions by the source.
  const modules = { unbundle: true, root, skipNodeModulesBundle: true, treeshake: false }
  await build({ ...output, ...modules, entry: files, format: 'esm', platform: 'node', plugins: [asInSource] })
  return outDir
}
