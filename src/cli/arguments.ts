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

/** Throws `UsageError` for an option that is none, or is given twice: of two subjects, one would be passed over. */
export function parse(parameters: readonly string[]) {
  const { tokens, ...parsed } = parsedArgs(parameters)
  const names = tokens.flatMap(token => (token.kind === 'option' ? [token.name] : []))
  const twice = names.find((name, at) => names.indexOf(name) < at)
  if (twice !== undefined) throw new UsageError(`--${twice} is given twice`)
  return parsed
}

function parsedArgs(parameters: readonly string[]) {
  try {
    return parseArgs({ args: joined(parameters), options: OPTIONS, allowPositionals: true, tokens: true })
  } catch (error) {
    const message = String(Reflect.get(Object(error), 'message'))
    const [, dashed] = /^Option '(--[\w-]+)' argument is ambiguous/.exec(message) ?? []
    if (dashed) throw new UsageError(`the value of ${dashed} is missing, or begins with a dash: write ${dashed}=VALUE`)
    // The first sentence names the option; advice follows.
    throw new UsageError(printable(message.split(/\.\s/)[0] ?? ''))
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
