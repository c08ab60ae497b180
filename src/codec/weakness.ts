import type { Secret } from './keyring.ts'

/**
 * Why a secret is weak. `known`: it is made of words that stand in readmes and tutorials; `short`: it has fewer bytes
 * than it needs; `repetitive`: it has fewer than 5 different bytes, or repeats fewer than 16.
 */
export type Weakness = 'known' | 'short' | 'repetitive'

/** 128 bits, if they are random. */
const LEAST_BYTES = 16
const LEAST_DIFFERENT = 5
/** Up to so many digits beside known words are no secret: 27 bits. */
const MOST_DIGITS = 8

/**
 * The words of secrets in the readmes, tutorials and tests of Koa, its packages and this one, express-session,
 * iron-session, Fastify, hapi, NestJS and Superset, and of what an unset variable or a template leaves.
 */
const WORDS = `
  secret secrets sekrit key keys keykeys keyboard cat keygrip session sessions cookie cookies token jwt auth app
  application admin root user client server express koa node web site password passwords passphrase passwd pass pwd
  passw rd phrase credential credentials salt signing signature sign signed seal sealed sealing encryption sess foreign sixteen
  change changed changeit replace insert set put fill default example sample demo dummy placeholder foo bar baz todo
  fixme goes here me it this that your yours you my mine our own im am i a an the is are was be to of in on at as by for
  from with and or not no non one two three some any another other others somebody else than all them
  new newer newest old older oldest first second third last latest current previous next late later before after
  good bad weak strong super top very random complex safe secure private hidden real fake unsafe insecure
  string text word words letters characters chars char bytes byte bits length minimum maximum min max least most
  long longer enough exactly so short big bigger log more must should which use used still set up thirty thirtytwo forty four
  production prod development develop dev test tests testing tested staging stage local localhost ci generated
  tenant child parent inner outer fuzz fuzzed run runs bench benchmark races race process number
  undefined null nan true false object promise none empty value process env getenv os import config secretkey
  hurr like turtle turtles please hello world ninja dragon monkey letmein welcome iloveyou correct horse battery
  staple qwerty qwertyuiop asdf asdfgh asdfghjkl zxcvbn zxcvbnm
`
  .trim()
  .split(/\s+/)

/** What a template should have filled in. */
const PLACEHOLDER = /\$\{[^{}]*\}|\$\([^()]*\)|\{\{[^{}]*\}\}|<%[^<>]*%>/g
const PRINTABLE = /^[\t\n\r\u0020-\u007e]*$/

/** Why `secret` should not be used, or `undefined`: then nothing is known against it, which does not prove it strong. */
export function weaknessOf(secret: Secret, leastBytes = LEAST_BYTES): Weakness | undefined {
  const bytes = Buffer.from(secret)
  // One character for each byte.
  const text = bytes.toString('latin1')
  if (isKnown(text)) return 'known'
  if (bytes.length < leastBytes) return 'short'
  return new Set(bytes).size < LEAST_DIFFERENT || isRepeating(text) ? 'repetitive' : undefined
}

/** Whether `text` is nothing but known words, rows as `abcdef` and `12345`, a few digits and what separates them. */
function isKnown(text: string): boolean {
  if (!PRINTABLE.test(text)) return false
  const filled = text.replace(PLACEHOLDER, ' undefined ').toLowerCase()
  const runs = filled.match(/[a-z]+|\d+/g) ?? []
  const letters = runs.filter(run => /[a-z]/.test(run))
  const digits = runs.filter(run => /\d/.test(run) && rowAt(run, 0) < run.length)
  return (
    letters.some(run => run.length > 2) && digits.join('').length <= MOST_DIGITS && letters.every(isMadeOfKnownWords)
  )
}

function isMadeOfKnownWords(run: string): boolean {
  const starts = new Set([0])
  for (let at = 0; at < run.length; at++) {
    if (!starts.has(at)) continue
    for (const word of WORDS) if (run.startsWith(word, at)) starts.add(at + word.length)
    const row = rowAt(run, at)
    if (row > 2) starts.add(at + row)
  }
  return starts.has(run.length)
}

/** How long the row is that begins at `start`: of equal letters or digits, or of neighbours, as `abc`, `321` and `8901`. */
function rowAt(run: string, start: number): number {
  const size = /\d/.test(run) ? 10 : 26
  // From -1 on, which is one back; NaN at the end.
  const stepAt = (at: number) => ((run.charCodeAt(at + 1) - run.charCodeAt(at) + 1 + size) % size) - 1
  const step = stepAt(start)
  if (!(step <= 1)) return 1
  let at = start + 1
  while (stepAt(at) === step) at++
  return at - start + 1
}

/** Whether `text` is something shorter than a secret has to be, at least twice; a last part of it may follow. */
function isRepeating(text: string): boolean {
  for (let length = 1; length < LEAST_BYTES && length * 2 <= text.length; length++) {
    if (text.startsWith(text.slice(length))) return true
  }
  return false
}
