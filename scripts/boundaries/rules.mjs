/*
 * The rules of the source's structure, as data. A commit that needs another one changes it here, with the reason.
 *
 * A part is a folder of src/, a file right in it by its name without `.ts`, or one file of a folder that has rules of its
 * own. The folders `request` and `node` may be missing.
 */

/** How many files import each other in circles, all together and in the largest one: none. */
const CIRCLES = { files: 0, largest: 0 }

/**
 * Code lines, which are neither blank nor comment. `root`: the files right in src/. A commit that needs more raises its
 * folder's, with the reason. The aim is 400 for `koa` and 3100 for all: what is above that is the fast way around Koa's own
 * cookies, which is still in `koa`, and in `request` the state machine with its steps. Errors that say why a store failed, and
 * nothing of what it was given, take 100. HMAC by one-shot hashes takes 31, and a check of base64url that does not encode
 * again 7. What remembers verified cookies, and copies their data in place of parsing them, takes 400. That sessions can be
 * ended by an instant (`notBefore`) takes 130, the events for what became of a session 110, that nothing is read before
 * somebody asks (`lazy`) 102, the cap on a user's sessions 145, data that another version has saved (`version`) 124, and the
 * tracing channels 156. What a failed save or new id takes back, and an error where a function throws nothing, take 31.
 */
const BUDGETS = { koa: 635, node: 280, request: 3000, session: 787, codec: 784, root: 655 }
/** Of all these together. */
const CORE_BUDGET = 6141

/** Lines of a file, of any kind. */
const FILE_LINES = 250

/**
 * Which part may import which others; its own files and `warnings` always. With ` (types)`: nothing that is there when it
 * runs.
 */
const ARROWS = {
  index: ['koa', 'open', 'request', 'session', 'options', 'types', 'errors', 'stores/store (types)'],
  koa: [
    ...['node', 'request', 'session', 'codec', 'stores/store (types)'],
    ...['config', 'options', 'option-names', 'sharing', 'sealing', 'secure', 'types', 'errors', 'async', 'value-kind'],
  ],
  node: ['request', 'session (types)', 'codec', 'config', 'options (types)', 'errors', 'async'],
  request: [
    'session',
    'codec',
    'stores/store (types)',
    'config',
    'sealing (types)',
    'options (types)',
    'option-names',
    'errors',
    'async',
    'value-kind',
  ],
  session: ['errors', 'value-kind'],
  codec: ['errors'],
  'stores/store': [],
  stores: ['stores/store', 'codec', 'errors', 'async', 'value-kind'],
  testing: ['stores/store'],
  // Its entry is a door to the index, which has the code.
  open: ['index', 'codec', 'request', 'session', 'config', 'options (types)', 'types (types)', 'errors'],
  // It prints the statements of the stores, which have to be those that they run, and lists and ends their sessions.
  cli: ['codec', 'request', 'session', 'stores', 'stores/store (types)', 'config', 'errors'],
  config: ['options', 'sealing', 'secure', 'codec', 'session', 'stores/store (types)', 'errors', 'async'],
  sealing: ['codec', 'errors'],
  secure: ['sealing (types)', 'errors'],
  'option-names': [],
  sharing: ['config (types)', 'sealing (types)', 'errors'],
  options: ['session (types)', 'types', 'stores/store (types)'],
  types: ['session (types)'],
  async: ['errors'],
  errors: ['value-kind'],
  'value-kind': [],
  warnings: [],
}

/** Imports that are still there against the arrows: `file > file`. One that is gone has to go from here. */
const STILL = [
  'request/asked-store.ts > stores/store.ts',
  'request/load-stored.ts > stores/record.ts',
  'testing/contract.ts > errors.ts',
]

/** Which modules from outside a part may import: those of Node, and koa. Not named: none. */
const MODULES = {
  koa: /^(koa$|node:)/,
  config: /^koa$/,
  options: /^koa$/,
  node: /^node:/,
  request: /^node:(?!https?$|http2$|net$)/,
  codec: /^node:crypto$/,
  stores: /^node:/,
  testing: /^node:/,
  cli: /^node:/,
}

/** What the code of files may not contain, outside of comments. */
const WORDS = [
  { files: /^stores\//, words: /\bctx\.|\bdocument\b/ },
  { files: /^codec\//, words: /\bctx\b/ },
  { files: /^session\//, words: /Date\.now|random|\bctx\b/i },
  // It hands the context of the request on, and reads nothing of it.
  { files: /^request\//, words: /\bctx\.(?!\$)|\bsetHeader|\bgetHeader/ },
  { files: /^(?!koa\/|node\/)/, words: /\bapp\.emit|\bsetHeader/ },
  // koa/cookies.ts writes the dates that Koa's cookies write, by the clock that they use.
  { files: /^(?!config|stores\/|koa\/cookies|testing\/)/, words: /Date\.now\(|randomUUID/ },
  { files: /^(?!cli\/)/, words: /\bconsole\.|process\.exit/ },
  // The kit for stores knows of a store what its contract says.
  { files: /^testing\//, words: /\bctx\./ },
  // The command decides in pure functions.
  { files: /^cli\/(?!main)/, words: /\bconsole\.|\bprocess\./ },
  { files: /./, words: /(: any\b|as any\b|<any>|any\[\])/ },
]

export const rules = {
  circles: CIRCLES,
  budgets: BUDGETS,
  coreBudget: CORE_BUDGET,
  fileLines: FILE_LINES,
  arrows: ARROWS,
  still: STILL,
  modules: MODULES,
  words: WORDS,
}
