/** Cookies in a request's `Cookie` header, each as text: a name, `=` and a value. */

/** How many values of one name, and signatures, are looked at (a browser sends several where domain or path changed). */
const MOST = 4

/** The cookies in `header` that begin with `start`, the `first` of which is known: at most four. */
export function pairsNamed(header: string, start: string, first: string): readonly string[] {
  // Nearly always there is one.
  if (header.indexOf(start) === header.lastIndexOf(start)) return [first]
  return header
    .split(';')
    .map(pair => find(pair, start))
    .filter(pair => pair !== undefined)
    .slice(0, MOST)
}

/** The first cookie in `header` that begins with `start`, a name and `=`; with its name. */
export function find(header: string, start: string): string | undefined {
  for (let at = header.indexOf(start); at >= 0; at = header.indexOf(start, at + 1)) {
    let before = at - 1
    while (header[before] === ' ') before--
    if (before >= 0 && header[before] !== ';') continue
    const end = header.indexOf(';', at)
    const pair = header.slice(at, end < 0 ? header.length : end)
    return pair[start.length] === '"' ? start + pair.slice(start.length + 1, -1) : pair
  }
  return undefined
}
