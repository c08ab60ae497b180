const MOST_KEYS = 100

const warned = new Map<string, Set<string>>()

/** Raises a process warning, once per process for each `code` and `key`: for at most 100 keys of a code. */
export function warnOnce(code: string, message: string, type = 'Warning', key = ''): void {
  const keys = warned.get(code) ?? new Set()
  if (keys.has(key) || keys.size >= MOST_KEYS) return
  warned.set(code, keys.add(key))
  process.emitWarning(message, { type, code })
}
