/** What is probably meant by an option that koa-session does not have. */

import { warnOnce } from './warnings.ts'

/** Options of other packages, and what to do in place of them. */
const ELSEWHERE = new Map([
  ['secret', 'set app.keys to a list of secrets'],
  ['password', 'set app.keys to a list of secrets, and the option seal to true to encrypt the cookie'],
  ['resave', 'remove it: a session is saved when it was changed, or with the option rolling or renew'],
  ['saveUninitialized', 'remove it: an empty session is not saved, unless you call ctx.session.save()'],
  ['cookie', 'give what is in it (path, httpOnly, secure, sameSite, maxAge) as options of session() itself'],
  ['cookieOptions', 'give what is in it (path, httpOnly, secure, sameSite, maxAge) as options of session() itself'],
  ['cookieName', 'use the option key'],
])

/** Of Koa's own cookies, beside those that have a check. */
const OF_KOA = ['expires', 'secureProxy']

/** Of one option that is not known: what to do, where that can be told by its name. */
export interface UnknownOption {
  readonly name: string
  readonly advice: string | undefined
}

/** Those of `names` that are neither `known` nor Koa's. */
export function unknownOptions(names: readonly string[], known: readonly string[]): readonly UnknownOption[] {
  const isUnknown = (name: string) => !known.includes(name) && !OF_KOA.includes(name)
  return names.filter(isUnknown).map(name => ({ name, advice: ELSEWHERE.get(name) ?? correction(name, known) }))
}

/** Says once of an option that nobody knows it. */
export function warnOfUnknown(name: string, advice = 'look for it in the list of options'): void {
  const message = `session() has no option ${name}, and passes it on to ctx.cookies: ${advice}`
  warnOnce('KOA_SESSION_OPTION', message, 'Warning', name)
}

function correction(name: string, known: readonly string[]): string | undefined {
  const isCase = (other: string) => other.toLowerCase() === name.toLowerCase()
  const isNear = (other: string) => distance(name, other) <= (Math.max(name.length, other.length) > 4 ? 2 : 1)
  const meant = known.find(isCase) ?? known.find(isNear)
  return meant && `use the option ${meant}`
}

/** How many letters have to be put in, left out or replaced to make `to` of `from`. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at)
  for (let at = 0; at < from.length; at++) {
    const next = [at + 1]
    for (let n = 0; n < to.length; n++) {
      const replaced = (row[n] as number) + (from[at] === to[n] ? 0 : 1)
      next.push(Math.min(replaced, (row[n + 1] as number) + 1, (next[n] as number) + 1))
    }
    row = next
  }
  return row[to.length] as number
}
