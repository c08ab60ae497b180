import { listOfSecrets } from '../codec/secrets.ts'
import { SessionError } from '../errors.ts'
import { UsageError } from './usage.ts'

/** The secrets in the environment variable, newest first: a JSON array, or else separated by commas or white space. */
export function parseSecrets(text = ''): string[] {
  const trimmed = text.trim()
  if (trimmed === '') return []
  const list = trimmed.startsWith('[') ? parsed(trimmed) : trimmed.split(/\s*,\s*|\s+/)
  if (Array.isArray(list) && list.length === 0) return []
  try {
    // There are no bytes in JSON.
    return [...listOfSecrets(list, 'KOA_SESSION_KEYS')] as string[]
  } catch (error) {
    if (error instanceof SessionError) throw new UsageError(error.message)
    throw error
  }
}

/** The message of the error would quote the text. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new UsageError('KOA_SESSION_KEYS begins with [, but is no JSON array of strings that are not empty')
  }
}
