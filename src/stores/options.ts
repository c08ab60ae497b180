/** What callers without types get wrong: names that are not there, and options that are set to nothing. */

import { SessionError } from '../errors.ts'
import { kindOf } from '../value-kind.ts'
import { checkOption } from './after.ts'
import type { Which } from './store.ts'

/** The names of `RowOptions`. */
const OF_ALL = ['hashIds', 'seal', 'now', 'onEnded']

/** Throws `ERR_SESSION_OPTION` where `options` of `maker` is no object, or has a name that is not `known`. */
export function checkNames(maker: string, options: unknown, known: readonly string[]): void {
  const isObject = typeof options === 'object' && options !== null && !Array.isArray(options)
  if (!isObject) throw refusal(maker, `options were ${kindOf(options)}, expected an object`)
  const unknown = Object.keys(options).find(name => !known.includes(name))
  if (unknown !== undefined) throw refusal(maker, `unknown option ${unknown}, expected one of ${known.join(', ')}`)
}

/** The same for a store that is made of rows: `own` are the names that only this one has. */
export function checkRowOptions(maker: string, options: unknown, own: readonly string[]): void {
  checkNames(maker, options, [...own, ...OF_ALL])
}

/** Throws `ERR_SESSION_OPTION` for a prefix that could be a path, or that a key can't begin with. */
export function checkPrefix(maker: string, prefix: unknown): void {
  const isGood = typeof prefix === 'string' && /^[\w:-]{0,100}$/.test(prefix)
  checkOption(maker, 'prefix', prefix, isGood, 'at most 100 of A-Z a-z 0-9 _ - :')
}

/** What `destroyAll` is given. A handle or an id that is `undefined` would end the sessions that it was to spare. */
export function checkWhich(which: Which | undefined): void {
  if (which === undefined) return
  checkNames('destroyAll', which, ['only', 'except'])
  for (const [name, value] of Object.entries(which)) {
    const expected = name === 'only' ? 'the handle of a session' : 'the id of a session'
    if (typeof value !== 'string') throw refusal('destroyAll', `${name} was ${kindOf(value)}, expected ${expected}`)
  }
}

function refusal(maker: string, what: string): SessionError {
  return new SessionError('ERR_SESSION_OPTION', `${maker}: ${what}`)
}
