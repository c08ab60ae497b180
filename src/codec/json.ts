/** The default codec, that of koa-session 7: JSON in base64, without a secret. */

/** For what fits: to allocate a Buffer for each text would take twice as long. Nothing in it outlives a call. */
const scratch = Buffer.allocUnsafeSlow(8192)

/** Cookie-safe text for `payload`. Throws what `JSON.stringify` throws. */
export function encode(payload: unknown): string {
  return encodeText(JSON.stringify(payload))
}

/** What `text` says. Throws a `SyntaxError`, and nothing else, when it is not JSON in base64. */
export function decode(text: string): unknown {
  return JSON.parse(decodeText(text))
}

/** `text`, in UTF-8, as base64; with `more` at its end, which is not put together first. */
export function encodeText(text: string, more = ''): string {
  // A character of a string has at most three bytes in UTF-8.
  if ((text.length + more.length) * 3 > scratch.length) return Buffer.from(text + more).toString('base64')
  const length = scratch.write(text)
  return scratch.toString('base64', 0, length + scratch.write(more, length))
}

/** The text that was encoded; what is not base64 gives some text, too. */
export function decodeText(text: string): string {
  return text.length > scratch.length
    ? Buffer.from(text, 'base64').toString()
    : scratch.toString('utf8', 0, scratch.write(text, 'base64'))
}
