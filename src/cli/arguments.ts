/** What the command is given: the options of all commands, and what stands between them. */

import { parseArgs } from 'node:util'
import { printable } from './printable.ts'
import { UsageError } from './usage.ts'

const OPTIONS = {
  key: { type: 'string' },
  unsigned: { type: 'boolean' },
  show: { type: 'boolean' },
  json: { type: 'boolean' },
  dialect: { type: 'string' },
  table: { type: 'string' },
  user: { type: 'string' },
  from: { type: 'string' },
  store: { type: 'string' },
  prefix: { type: 'string' },
  'plain-ids': { type: 'boolean' },
  subject: { type: 'string' },
  limit: { type: 'string' },
  handle: { type: 'string' },
  except: { type: 'string' },
  all: { type: 'boolean' },
  yes: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
} as const

export type Values = ReturnType<typeof parse>['values']

/** The handle of a session: the SHA-256 of its id. */
export const HANDLE = /^[\w-]{43}$/
const TAKE_HANDLES = ['--handle', '--except']

/** Throws `UsageError` for an option that is none. */
export function parse(parameters: readonly string[]) {
  try {
    return parseArgs({ args: joined(parameters), options: OPTIONS, allowPositionals: true })
  } catch (error) {
    // The first sentence names the option; advice follows.
    throw new UsageError(printable(String(Reflect.get(Object(error), 'message')).split(/\.\s/)[0] ?? ''))
  }
}

/** One handle in 64 begins with a dash, as an option does: each is put behind its option in one text. */
function joined(parameters: readonly string[]): string[] {
  const isTaken = (at: number) => TAKE_HANDLES.includes(parameters[at - 1] ?? '') && HANDLE.test(parameters[at] ?? '')
  return parameters.flatMap((parameter, at) => {
    if (isTaken(at)) return []
    return isTaken(at + 1) ? `${parameter}=${parameters[at + 1]}` : parameter
  })
}
