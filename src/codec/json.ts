/** The default codec, that of koa-session 7: JSON in base64, without a secret. */

/** Cookie-safe text for `payload`. Throws what `JSON.stringify` throws. */
export function encode(payload: unknown): string {
  return Buffer.from(JSON.stringify(payload)).toString('base64')
}

/** What `text` says. Throws a `SyntaxError`, and nothing else, when it is not JSON in base64. */
export function decode(text: string): unknown {
  return JSON.parse(Buffer.from(text, 'base64').toString('utf8'))
}
