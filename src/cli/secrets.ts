import { UsageError } from './usage.ts'

/** The secrets in the environment variable, newest first: a JSON array, or else separated by commas or white space. */
export function parseSecrets(text = ''): string[] {
  const trimmed = text.trim()
  return trimmed.startsWith('[') ? parseArray(trimmed) : trimmed.split(/[\s,]+/).filter(secret => secret !== '')
}

function parseArray(text: string): string[] {
  const list = parsed(text)
  if (Array.isArray(list) && list.every(isSecret)) return list
  throw new UsageError('KOA_SESSION_KEYS begins with [, but is no JSON array of strings that are not empty')
}

function isSecret(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

/** The message of the error would quote the text. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
