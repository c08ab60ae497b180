/** Data that another version of the application has saved: the options `version` and `upgrade`. */

import { refusePromise } from '../async.ts'
import type { Config } from '../config.ts'
import { optionError, SessionError } from '../errors.ts'
import { textOf, textOrNothing } from '../session/changes.ts'
import { changesSince, dataFrom, NO_MEMBERS } from '../session/members.ts'
import type { Data, Lifetime, Members, Payload } from '../session/model.ts'
import { METADATA } from '../session/payload.ts'
import { dataIn } from '../session/session.ts'
import { isSessionValue } from '../session/value.ts'
import type { StoredRecord } from '../stores/store.ts'
import { kindOf } from '../value-kind.ts'

/** Throws `ERR_SESSION_OPTION` for one of the two without the other: data must not be marked by mistake. */
export function checkUpgrade({ version, upgrade }: Config): void {
  const expected = 'beside it: () => {} where nothing has to change'
  if (version !== undefined && !upgrade)
    throw optionError('version', version, `a function as the option upgrade ${expected}`)
  if (upgrade && version === undefined) throw optionError('upgrade', upgrade, 'the option version beside it')
}

/** How many versions the data of a session is behind this process. Below 0: a newer process has saved it. */
export function versionsBehind(lifetime: Lifetime, { version = 0 }: Config): number {
  return version - versionIn(lifetime)
}

/** What is not a whole number from 1 on is no version. */
function versionIn({ _meta }: Lifetime): number {
  const version: unknown = _meta?.dataVersion
  return Number.isSafeInteger(version) && Number(version) > 0 ? Number(version) : 0
}

/**
 * `payload` with its data as this version has it; `undefined`: it can't be read. Throws what `upgrade` throws,
 * `ERR_SESSION_OPTION`, `ERR_SESSION_ASYNC` and `ERR_SESSION_DATA`.
 */
export function upgradedPayload(config: Config, payload: Payload): Payload | undefined {
  // A copy: the object may be the store's own.
  const text = textOrNothing(dataIn(payload))
  if (text === undefined) return undefined
  const lifetime = Object.entries(payload).filter(([name]) => METADATA.has(name))
  return { ...upgraded(config, JSON.parse(text), payload), ...Object.fromEntries(lifetime) }
}

/** The members of `record` as this version has them; `undefined`: a newer one has saved them. Throws the same. */
export function upgradedMembers(config: Config, { members, lifetime }: StoredRecord): Members | undefined {
  const behind = versionsBehind(lifetime, config)
  if (behind <= 0) return behind < 0 ? undefined : members
  return changesSince(NO_MEMBERS, upgraded(config, dataIn(dataFrom(members)), lifetime))?.set ?? NO_MEMBERS
}

function upgraded({ upgrade }: Config, data: Data, lifetime: Lifetime): Data {
  const given = refusePromise(upgrade?.(data, versionIn(lifetime)), 'upgrade')
  const made = given === undefined ? data : given
  if (isSessionValue(made)) return JSON.parse(textOf(dataIn(made as Data)))
  const expected = 'an object, or nothing where it has changed the data that it was given'
  throw new SessionError('ERR_SESSION_OPTION', `option upgrade gave ${kindOf(made)}, expected ${expected}`)
}
