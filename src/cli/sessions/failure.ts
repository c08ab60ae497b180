import { SessionError } from '../../errors.ts'
import { printable } from '../printable.ts'

/** What was asked could not be done. The message is printed. */
export class Failure extends Error {}

/** Why, on one line. What clients say may quote the URL, or be a stranger's text. */
export function reasonOf(error: unknown, url: string): string {
  if (error instanceof Failure) return error.message
  const { message } = new SessionError('ERR_SESSION_STORE', 'the store failed', { cause: error })
  return printable(withoutSecrets(error instanceof SessionError ? error.message : message, url))
}

/** Shorter passwords are no secrets, and part of many words. */
const SHORTEST = 4

function withoutSecrets(text: string, url: string): string {
  const [, password = ''] = /^[^/]+:\/\/[^@]*?:(.*)@/.exec(url) ?? []
  const secrets = [url, password, decoded(password)].filter(({ length }) => length >= SHORTEST)
  const hidden = secrets.reduce((rest, secret) => rest.replaceAll(secret, '…'), text)
  return hidden.replace(/\/\/[^\s/@]*@/g, '//…@')
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
