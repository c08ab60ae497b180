/** What two sessions of one application may share: a property with the same options, and never a cookie. */

import type { Config } from './config.ts'
import { optionError } from './errors.ts'
import type { Given } from './sealing.ts'
import { warnOnce } from './warnings.ts'

interface Kind {
  readonly options: Given
  readonly property: string
  parts(): { readonly config: Config }
}

/** Says that the options of a second middleware for the same session have no effect. */
export function warnOfDifference(known: Pick<Kind, 'options' | 'property'>, options: Given): void {
  const names = Object.keys({ ...known.options, ...options })
  if (names.every(name => options[name] === known.options[name])) return
  const advice = 'its options have no effect; the option `property` names a session of its own'
  warnOnce(`KOA_SESSION_SHARED`, `a second session() shares ctx.${known.property} with the first one: ${advice}`)
}

/** What decides whose session is accepted: a mounted application that asks for another answer would not get it. */
const DECISIVE = ['valid', 'schema', 'store', 'ContextStore', 'notBefore', 'version', 'upgrade']
/** What protects a session: one that asks for it would not get it where the one around has none. */
const PROTECTIVE = ['seal', 'signed', 'absoluteTimeout']

/** Throws `ERR_SESSION_OPTION` where the `outer` options, which are used, decide otherwise than those of a kind, or protect less. */
export function refuseDifference(outer: Given, { options, property }: Kind): void {
  const isSigned = outer.seal || outer.signed !== false
  const differing = DECISIVE.find(name => (options[name] ?? undefined) !== (outer[name] ?? undefined))
  const name = differing ?? PROTECTIVE.find(name => options[name] && !(name === 'signed' ? isSigned : outer[name]))
  if (name === undefined) return
  const expected = `that of the application around it, whose ctx.${property} it shares; the option property names a session of its own`
  throw optionError(name, options[name], expected)
}

/** Throws `ERR_SESSION_OPTION` where a new session has a cookie that is one of another session. */
export function refuseSameCookie(config: Config, others: Iterable<Kind>): void {
  const names = namesOf(config)
  const other = [...others].find(kind => namesOf(kind.parts().config).some(name => names.includes(name)))
  if (other) throw optionError('key', config.key, `a name that ctx.${other.property} does not use for its cookies`)
}

/** The cookies that a session may have. */
function namesOf({ key, sealing, externalKey, store, ContextStore }: Config): readonly string[] {
  if (externalKey && (store || ContextStore)) return []
  return [key, `${key}.sig`, ...(sealing ? [`${key}.1`, `${key}.2`] : [])]
}

/** The sessions of mounted applications that an application has served, by its context. */
const served = new WeakMap<object, Set<Kind>>()

/**
 * Throws `ERR_SESSION_OPTION` where `kind`, of a mounted application, has the cookie of another session of the application
 * around it or of one that is mounted there, too: each would take the other's for its own, and overwrite it. `context` and
 * `own`: of the application around.
 */
export function refuseMounted(kind: Kind, context: object, own: Iterable<Kind>): void {
  const known = served.get(context) ?? new Set()
  if (known.has(kind)) return
  const { config } = kind.parts()
  const isOther = (other: Kind) => {
    const theirs = other.parts().config
    const isSame = other.property === kind.property && isAlike(config, theirs)
    return other !== kind && !isSame && canMeet(config, theirs)
  }
  refuseSameCookie(config, [...own, ...known].filter(isOther))
  served.set(context, known.add(kind))
}

/** Whether each can read what the other writes. */
function isAlike(one: Config, other: Config): boolean {
  if (one.store !== other.store || one.ContextStore !== other.ContextStore) return false
  return !one.sealing === !other.sealing && one.encode === other.encode && one.decode === other.decode
}

/** Whether a request may bring the cookies of both: the path of one is below that of the other. */
function canMeet(one: Config, other: Config): boolean {
  const [path, theirs] = [pathOf(one), pathOf(other)]
  return path.startsWith(theirs) || theirs.startsWith(path)
}

function pathOf({ cookie: { path } }: Config): string {
  return `${path ?? '/'}/`.replace('//', '/')
}
