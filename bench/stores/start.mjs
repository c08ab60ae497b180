/* Starts the server of a variant. */

import { startServer } from '../server-process.mjs'

const program = new URL('./server.mjs', import.meta.url)

export function startVariant(variant, { rolling = false, database = 'bench', execArgv = [], ...options }) {
  return startServer(program, [JSON.stringify({ variant, rolling, database, ...options })], variant, execArgv)
}
