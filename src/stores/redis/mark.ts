/** What tells that an answer is about a key: the end of it, which is in the hash of a session and in the answer of each script. */

/** In Lua, which sees the bytes of `KEYS[1]`; those that are not ASCII are `~`, as a client may not read them one by one. */
export const MARK = "(string.gsub(string.sub(KEYS[1], -8), '[\\128-\\255]', '~'))"

export function isMarkOf(mark: string | undefined, key: string): boolean {
  const end = key.slice(-8)
  if (mark === end) return true
  const bytes = Buffer.from(end).subarray(-8).toString('latin1')
  // The client may have put something before a short key.
  return mark?.endsWith(bytes.replace(/[\x80-\xff]/g, '~')) === true
}
