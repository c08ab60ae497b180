import commonjs from '@rollup/plugin-commonjs'
import json from '@rollup/plugin-json'
import resolve from '@rollup/plugin-node-resolve'

export default {
  input: 'count.mjs',
  output: { file: 'out/rollup.mjs', format: 'es', inlineDynamicImports: true },
  plugins: [resolve({ preferBuiltins: true }), commonjs({ ignoreDynamicRequires: true }), json()],
  external: /^node:/,
}
