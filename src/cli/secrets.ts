import { listOfSecrets } from '../codec/secrets.ts'
import { SessionError } from '../errors.ts'
import { UsageError } from './usage.ts'

/** The secrets in the environment variable `name`, newest first: a JSON array, or else separated by commas or white space. */
export function parseSecrets(text = '', name = 'KOA_SESSION_KEYS'): string[] {
  const trimmed = text.trim()
  if (trimmed === '') return []
  const list = trimmed.startsWith('[') ? parsed(trimmed, name) : trimmed.split(/\s*,\s*|\s+/)
  if (Array.isArray(list) && list.length === 0) return []
  // There are no bytes in JSON.
  return [...orUsage(() => listOfSecrets(list, name))] as string[]
}

/** What `check` gives. The message of its error names the variable, and shows no secret. */
export function orUsage<Result>(check: () => Result): Result {
  try {
    return check()
  } catch (error) {
    if (error instanceof SessionError) throw new UsageError(error.message)
    throw error
  }
}

/** The message of the error would quote the text. */
function parsed(text: string, name: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new UsageError(`${name} begins with [, but is no JSON array of strings that are not empty`)
  }
}
