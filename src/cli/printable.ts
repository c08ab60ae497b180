/**
 * What a terminal obeys or does not show: control characters, those that turn the direction of text, breaks of lines,
 * lone surrogates, code points that are not assigned. A cookie is a stranger's text.
 */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu

/** `text` on one line, with `\u` and four digits for what a terminal would obey or not show. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, character => character.split('').map(escaped).join(''))
}

function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** `value` as JSON on one line that is fit for a terminal, and means the same. */
export function printableJson(value: unknown): string {
  return printable(JSON.stringify(value))
}

/** A name as it is, or quoted as in JSON where it is not of the usual characters. */
export function printableName(name: string): string {
  return /^[\w$.-]+$/.test(name) ? name : printableJson(name)
}
