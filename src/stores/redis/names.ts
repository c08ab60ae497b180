/** Names as text that Redis can hold. */

/**
 * What UTF-8 would mangle (a lone surrogate, so that two names became one), what separates the parts of a reply (NUL),
 * and what begins as no name must: like one that was encoded, or like the name of an index. Redis has keys that are
 * empty, but an empty list of names would look like the list of an empty one.
 */
const HOSTILE = /^(?:$|[!@])|[\0\p{Surrogate}]/u

/** A text for each name, another one for each; that of a usual name is the name. None begins with `@`. */
export function textOf(name: string): string {
  // JSON escapes what is hostile in it.
  return HOSTILE.test(name) ? `!${JSON.stringify(name)}` : name
}

/** The name that has `text`; one that `textOf` does not give stands for itself. */
export function nameIn(text: string): string {
  if (!text.startsWith('!')) return text
  try {
    return String(JSON.parse(text.slice(1)))
  } catch {
    return text
  }
}
