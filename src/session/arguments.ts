/** What the methods of a session are given. Each throws `ERR_SESSION_OPTION`, before anything is done. */

import { SessionError } from '../errors.ts'
import { kindOf } from '../value-kind.ts'

type Rules = Readonly<Record<string, readonly [isGood: (value: unknown) => boolean, expected: string]>>

const FLAG: Rules[string] = [value => value === undefined || typeof value === 'boolean', 'true or false']
const isList = (value: unknown) => Array.isArray(value) && value.every(name => typeof name === 'string')

const OPTIONS: Readonly<Record<'regenerate' | 'commit', Rules>> = {
  // A list that is undefined comes from a name that is misspelled: it is to drop data.
  regenerate: { fresh: FLAG, keep: [isList, 'a list of the keys to keep'] },
  commit: { save: FLAG, regenerate: FLAG },
}

/** The options of `method`. */
export function optionsFor<Options extends object>(
  method: keyof typeof OPTIONS,
  given: Options | null | undefined,
): Options {
  if (given === undefined || given === null) return {} as Options
  const rules = OPTIONS[method]
  const names = Object.keys(rules).join(' and ')
  if (typeof given !== 'object' || Array.isArray(given))
    throw refusal(method, 'options were', given, `an object with ${names}`)
  for (const [name, value] of Object.entries(given)) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined
    if (!rule) throw new SessionError('ERR_SESSION_OPTION', `${method}(): unknown option ${name}, expected ${names}`)
    if (!rule[0](value)) throw refusal(method, `option ${name} was`, value, rule[1])
  }
  return given
}

/** What a method is given beside options: the callback of `save()` and `commit()`, which may be absent, or `change`. */
export function checkFunction(method: string, what: 'callback' | 'change', given: unknown): void {
  const isAbsent = what === 'callback' && (given === undefined || given === null)
  if (!isAbsent && typeof given !== 'function') throw refusal(method, `${what} was`, given, 'a function')
}

export function checkMilliseconds(method: string, given: unknown): void {
  const isGood = typeof given === 'number' && given >= 0
  if (!isGood) throw refusal(method, 'milliseconds were', given, 'a number, 0 or more')
}

/** Shows no value: it may be data. */
function refusal(method: string, what: string, value: unknown, expected: string): SessionError {
  return new SessionError('ERR_SESSION_OPTION', `${method}(): ${what} ${kindOf(value)}, expected ${expected}`)
}
