/**
 * JSON in ASCII, so that the character set of a connection, of a database or of a column can neither damage nor refuse it.
 * A text that had other characters ends with a space, which JSON ignores: what was written before there was this, or has
 * escapes of its own, is read as it is.
 */

const OTHER = /[\u0080-\uffff]/g
const ESCAPED = /\\(?:u([0-9a-f]{4})|.)/g
const LONE = /\p{Surrogate}/gu

const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`

/** A JSON text with the value of `text`. */
export function asciiOf(text: string): string {
  const ascii = text.replace(OTHER, escaped)
  return ascii === text && !text.endsWith(' ') ? text : `${ascii} `
}

/** The text that `asciiOf` was given, as JSON.stringify writes it. */
export function textOf(ascii: string): string {
  if (!ascii.endsWith(' ')) return ascii
  const text = ascii.slice(0, -1).replace(ESCAPED, (sequence, digits?: string) => {
    const unit = digits === undefined ? 0 : Number.parseInt(digits, 16)
    return unit < 0x80 ? sequence : String.fromCharCode(unit)
  })
  // JSON.stringify leaves no half of a pair as it is.
  return text.replace(LONE, escaped)
}
