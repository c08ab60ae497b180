/** What `value` is, for an error: its kind with an article, and nothing of what is in it. */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value)
  if (value === '') return 'an empty string'
  const kind = typeof value === 'object' ? Object.prototype.toString.call(value).slice(8, -1) : typeof value
  const name = kind === 'Object' || kind === 'Array' ? kind.toLowerCase() : kind
  return `${/^[aeio]/i.test(name) ? 'an' : 'a'} ${name}`
}
