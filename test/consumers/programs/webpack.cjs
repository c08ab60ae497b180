const { join } = require('node:path')
const webpack = require('webpack')

const options = {
  mode: 'production',
  target: 'node18',
  entry: process.argv[2],
  output: { path: join(__dirname, 'out'), filename: 'webpack.cjs' },
  optimization: { minimize: true },
}
webpack(options, (error, stats) => {
  // A warning is one too: a package that cannot be bundled says so by a warning.
  if (error || stats.hasErrors()) throw error ?? new Error(stats.toString())
})
