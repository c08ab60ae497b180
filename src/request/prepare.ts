import { andThen, refusePromise } from '../async.ts'
import { digest, nameIn } from '../codec/digest.ts'
import type { Config } from '../config.ts'
import { SessionError } from '../errors.ts'
import { textOf } from '../session/changes.ts'
import { dataOf, type Session } from '../session/session.ts'
import { kindOf } from '../value-kind.ts'
import { called } from './property-error.ts'
import { checkSchema } from './schema.ts'

/** What is done to a session before it is put into a store: `beforeSave` may change it, then the schema checks it. */
export function prepare(ctx: unknown, { beforeSave, schema }: Config, session: Session): void | Promise<void> {
  if (!beforeSave && !schema) return
  return andThen(beforeSave?.(ctx, session), () => schema && checkSchema(schema, textOf(dataOf(session))))
}

/** Whose session it is, as stores are told: the SHA-256 of the subject. Throws `ERR_SESSION_OPTION` for what is none. */
export function ownerOf({ subject: subjectOf }: Config, session: object): string | undefined {
  const subject = refusePromise(subjectOf && called(subjectOf, session), 'subject')
  if (subject === undefined || subject === null) return undefined
  const name = nameIn(subject)
  if (name) return digest(name)
  const expected = 'a string, a whole number up to 2^53 - 1, a bigint, or undefined while nobody has signed in'
  throw new SessionError('ERR_SESSION_OPTION', `option subject gave ${kindOf(subject)}, expected ${expected}`)
}

/** The same, for an event: what is none is nobody. */
export function subjectIn(config: Config, open: () => object): string | undefined {
  try {
    return ownerOf(config, open())
  } catch {
    return undefined
  }
}
