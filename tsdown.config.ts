import { defineConfig } from 'tsdown'

const index = 'src/index.ts'
/** The entries beside the core: whoever uses a store loads that one. */
const parts = {
  memory: 'src/stores/memory.ts',
  sqlite: 'src/stores/sql/sqlite.ts',
  redis: 'src/stores/redis.ts',
  postgres: 'src/stores/sql/postgres.ts',
  mysql: 'src/stores/sql/mysql.ts',
  dynamodb: 'src/stores/dynamodb.ts',
  kv: 'src/stores/kv.ts',
  mongodb: 'src/stores/mongodb.ts',
  connect: 'src/stores/connect.ts',
  migrate: 'src/stores/migrate.ts',
  testing: 'src/testing/index.ts',
}
/** It has what it needs of the stores from the files that they have in common. */
const cli = 'src/cli/main.ts'
/** A door to the index: a copy of the core would make the package much larger. */
const open = 'src/open/index.ts'

const shared = {
  platform: 'node',
  target: 'node18.19',
  report: false,
  inputOptions: {
    checks: { pluginTimings: false },
    experimental: { attachDebugInfo: 'none' },
    preserveEntrySignatures: 'allow-extension',
  },
} as const

const types = { ...shared, format: 'esm', dts: { emitDtsOnly: true }, clean: false } as const

/** `require('koa-session')` gives the function itself; with `__esModule`, compilers take its `default`. */
const CALLABLE =
  "Object.defineProperty(createSession, '__esModule', { value: true });\n" +
  'module.exports = Object.assign(createSession, exports);'

const code = {
  ...shared,
  format: ['esm', 'cjs'],
  sourcemap: true,
  dts: false,
  outputOptions: (options, format) => ({
    ...options,
    comments: false,
    // Not minified, so that the lines of a stack can be read without the source map.
    paths: { './index.js': format === 'es' ? './index.mjs' : './index.cjs' },
    exports: 'named',
    strict: true,
    footer: chunk => (format === 'cjs' && chunk.name === 'index' ? CALLABLE : ''),
  }),
} as const

/** The one class of errors, from the file that has it: a file of its own for what is shared takes long to load. */
const errorsFromIndex = {
  name: 'errors-from-index',
  resolveId: (source: string) => (source.endsWith('/errors.ts') ? { id: './index.js', external: true } : undefined),
}

const allFromIndex = {
  name: 'all-from-index',
  resolveId: (source: string) => (source === '../index.ts' ? { id: './index.js', external: true } : undefined),
}

/** What several stores need is there once: in `shared`, and in `sql` for those of SQL databases. */
const sharedByStores = (format: string) => ({
  chunkFileNames: format === 'es' ? '[name].mjs' : '[name].cjs',
  codeSplitting: {
    includeDependenciesRecursively: false,
    groups: [
      { name: 'sql', test: /src.stores.sql./, minShareCount: 2, priority: 2 },
      { name: 'shared', test: /src./, minShareCount: 2, priority: 1 },
    ],
  },
})

const beside = {
  ...code,
  clean: false,
  plugins: [errorsFromIndex],
  outputOptions: (options, format) => ({ ...code.outputOptions(options, format), ...sharedByStores(format) }),
} as const

export default defineConfig([
  { ...code, entry: { index } },
  { ...beside, entry: { ...parts, cli }, format: ['esm'] },
  { ...beside, entry: parts, format: ['cjs'] },
  // Apart, so that the types of the core are a single file, which scripts/build-types.mjs makes CommonJS of.
  { ...types, entry: { index } },
  { ...code, entry: { open }, clean: false, plugins: [allFromIndex] },
  {
    ...types,
    entry: { open },
    plugins: [allFromIndex],
    outputOptions: options => ({ ...options, paths: { './index.js': './index.mjs' } }),
  },
  {
    ...types,
    entry: parts,
    outputOptions: {
      codeSplitting: { groups: [{ name: 'shared', test: /src./, minShareCount: 2 }] },
      chunkFileNames: '[name].d.mts',
    },
  },
])
