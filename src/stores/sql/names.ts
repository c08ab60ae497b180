/** Names of ids and of keys, as a column and a JSON object of any database can hold them. */

const READABLE = /^[!#-[\]-}]+$/
const OTHER = /[^!#-[\]-}]/g
const ENCODED = /~([0-9a-f]{4})/g

/** As long as the column for it, in every database; the index of PostgreSQL and MySQL ends at about three times that. */
export const NAME_LENGTH = 1024

/**
 * `name` in printable ASCII, without quote, backslash and space: another text for every other string. All else in it, and
 * `~`, is `~` and the four hexadecimal digits of its UTF-16 code unit: databases refuse or replace NUL and lone
 * surrogates, fold case, ignore spaces at the end.
 */
export function encodeName(name: string): string {
  if (READABLE.test(name)) return name
  return name === '' ? '~' : name.replace(OTHER, unit => `~${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

export function decodeName(text: string): string {
  if (!text.includes('~')) return text
  return text === '~' ? '' : text.replace(ENCODED, (_, digits) => String.fromCharCode(Number.parseInt(digits, 16)))
}
