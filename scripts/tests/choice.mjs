/* Which files of tests are run, and which of them share a process: data, and functions of it. */

const SERVERS = /^test\/stores\/servers\//
/** Tests that look inside the source, as what is built has no inside, and those of the kit itself and its page. */
const INSIDE = [
  /^test\/(scripts|races|request|node|session|codec|config|testing\/(broken|page))/,
  /^test\/stores\/(recency|rows|migrate\.races|sql\/(names|sweep))/,
  /^test\/cli\/(?!process)/,
]
/** What takes seconds, starts processes or reads the build: `--quick` leaves it out. */
const SLOW = [
  SERVERS,
  /^test\/(examples|properties|recipes|scripts|testing)/,
  /^test\/stores\/(contract|connect|every|kv|migrate\.races|sqlite-clients|sql\/sqlite)/,
  /^test\/(cli\/(process|middleware|run|sessions)|compat\/(kept|ledger\/values))/,
  /^test\/koa\/(keyed-store|koa-cookies|max-sessions|parallel|remembered|schema|upgrade)/,
  /^test\/((codec|security)\/forger|security\/printed|codec\/memory|request\/custody\.check|session\/template)/,
]
/** What needs the packages of test/clients, or minutes: `npm run test:servers` asks for it, and `.ci/all` for that. */
const ASKED_FOR = /^test\/stores\/servers\/(libraries|bun|cap|command-line)/
/** A warning that is given once a process has a process of its own, as has what is about the start. */
const ALONE = /^test\/(compat|koa|open)\/(warnings|start)/
/** Those that are not with others in `test/node` and `test/request`, and what measures times, or the depth of the stack. */
const ALONE_IN_QUICK = [
  ALONE,
  /^test\/(node\/cache|request\/unsaved)/,
  /^test\/security\/sealing/,
  /^test\/session\/changes/,
]
/** Folders that are run in one process each with `--dist`: starting one and its loader takes most of the time. */
const TOGETHER = ['test/koa', 'test/security', 'test/compat']

/**
 * The files of `all` whose path contains one of `words`; all of them without words. `missing`: the words that match
 * nothing. With `isDist` those that are about what is built; the tests of servers are among them when a word asks for them.
 */
export function choose(all, { words = [], isDist = false, isQuick = false } = {}) {
  const isAskedFor = words.some(word => word.startsWith('test/stores/servers'))
  const possible = all
    .filter(file => !isDist || !INSIDE.some(inside => inside.test(file)))
    .filter(file => !isDist || !SERVERS.test(file) || isAskedFor)
    .filter(file => !isQuick || !SLOW.some(slow => slow.test(file)))
    .filter(file => isAskedFor || !ASKED_FOR.test(file))
  const files = possible.filter(file => words.length === 0 || words.some(word => file.includes(word)))
  // Those of servers wait and are long: begun first, they end while others still run.
  const order = (a, b) => Number(SERVERS.test(b)) - Number(SERVERS.test(a)) || (a < b ? -1 : 1)
  return { files: files.sort(order), missing: words.filter(word => !possible.some(file => file.includes(word))) }
}

/**
 * What is run in a process each, as `{ title, files }`. On the source each file is alone, which shows that it passes
 * alone; with `isDist` some folders are together; with `isQuick` all are, in so many processes.
 */
export function grouped(files, { isDist = false, isQuick = false, processes = 2 } = {}) {
  const alone = file => ({ title: file, files: [file] })
  if (isQuick) {
    const isAlone = file => ALONE_IN_QUICK.some(one => one.test(file))
    const rest = files.filter(file => !isAlone(file))
    // More than processes, so that none of them waits long for another at the end.
    const count = 3 * processes
    const groups = Array.from({ length: count }, (_, index) => rest.filter((_, n) => n % count === index))
    const titled = groups.map((group, index) => ({ title: `${group.length} files (${index + 1})`, files: group }))
    return [...titled.filter(group => group.files.length > 0), ...files.filter(isAlone).map(alone)]
  }
  if (!isDist) return files.map(alone)
  const folderOf = file => (ALONE.test(file) ? undefined : TOGETHER.find(folder => file.startsWith(`${folder}/`)))
  const together = TOGETHER.map(folder => ({ title: folder, files: files.filter(file => folderOf(file) === folder) }))
  return [...together.filter(group => group.files.length > 0), ...files.filter(file => !folderOf(file)).map(alone)]
}
