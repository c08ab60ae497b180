/* The one reader of lines of Set-Cookie, for tests, scripts and benches. It decodes nothing, and refuses nothing. */

/** The name and the value that a line sets. */
export function pairOf(line) {
  const [pair] = line.split(';')
  const at = pair.indexOf('=')
  return [pair.slice(0, at), pair.slice(at + 1)]
}

/** The value of an attribute, whose `name` is in lower case; `true` where it has none, `undefined` where it is not there. */
export function attributeOf(line, name) {
  const parts = line.split(';').slice(1)
  const found = parts.map(part => part.trim().split('=')).find(([given]) => given.toLowerCase() === name)
  return found && (found[1] ?? true)
}

/** Whether a line deletes its cookie. */
export function isCleared(line) {
  return String(attributeOf(line, 'expires')).startsWith('Thu, 01 Jan 1970')
}

/** What `lines` set, values by names; that of a cookie which is deleted is empty. */
export function cookiesFrom(lines) {
  return new Map(lines.map(pairOf))
}

/** Has a client that holds `jar`, values by names, take `lines`. */
export function keepIn(jar, lines) {
  for (const line of lines) {
    const [name, value] = pairOf(line)
    if (isCleared(line)) jar.delete(name)
    else jar.set(name, value)
  }
}

/** The Cookie header of a client that has taken `lines`, and held nothing before. */
export function headerFrom(lines) {
  const jar = new Map()
  keepIn(jar, lines)
  return [...jar].map(pair => pair.join('=')).join('; ')
}
