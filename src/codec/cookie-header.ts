/** Cookies in a request's `Cookie` header, each as text: a name, `=` and a value. */

/** How many values of one name, and signatures, are looked at (a browser sends several where domain or path changed). */
const MOST = 4

/** A value, where `=` stands at the end at most, as base64 has it: `theme=` is another cookie, which is empty. */
const VALUE_ALONE = /^(?:[^\s;=]+|(?:[\w+/-]{4})+[\w+/-]{2}[\w+/=-]=)$/

/** Whether `text` is one value of the cookie `key`, and not cookies with their names. */
export function isValueAlone(text: string, key: string): boolean {
  return VALUE_ALONE.test(text) && !text.startsWith(`${key}=`)
}

/** The `nth` cookie in `header` that begins with `start`, a name and `=`; with its name. There are at most four, from 0. */
export function find(header: string, start: string, nth = 0): string | undefined {
  let left = nth < MOST ? nth : Number.POSITIVE_INFINITY
  for (let at = header.indexOf(start); at >= 0; at = header.indexOf(start, at + 1)) {
    let before = at - 1
    while (header[before] === ' ') before--
    if ((before >= 0 && header[before] !== ';') || left-- > 0) continue
    const end = header.indexOf(';', at)
    const pair = header.slice(at, end < 0 ? header.length : end)
    return pair[start.length] === '"' ? start + pair.slice(start.length + 1, -1) : pair
  }
  return undefined
}
