import { quoted, SessionError } from '../errors.ts'
import type { StandardResult, StandardSchema } from '../options.ts'
import { textOrNothing } from '../session/changes.ts'
import type { Payload } from '../session/model.ts'
import { METADATA } from '../session/payload.ts'

/** Whether the data of a payload passes. A promise where the validator is async. */
export function passesSchema(schema: StandardSchema | undefined, payload: Payload): boolean | Promise<boolean> {
  if (!schema) return true
  const data = Object.entries(payload).filter(([name]) => !METADATA.has(name))
  // A copy: a validator may write to what it is given.
  const text = textOrNothing(Object.fromEntries(data))
  return text !== undefined && check(schema, text, result => !result.issues)
}

/**
 * Throws `ERR_SESSION_SCHEMA`, naming the key, when `text`, the JSON of the data, does not pass: what is checked is
 * what the next request will read, so that nothing is saved that would be refused then.
 */
export function checkSchema(schema: StandardSchema | undefined, text: string): void | Promise<void> {
  if (schema) return check(schema, text, refuse)
}

function check<Result>(schema: StandardSchema, text: string, judge: (result: StandardResult) => Result) {
  const result = schema['~standard'].validate(JSON.parse(text))
  return 'then' in result ? result.then(judge) : judge(result)
}

function refuse(result: StandardResult): void {
  const issue = result.issues?.[0]
  if (!issue) return
  const path = (issue.path ?? []).map(part => String(typeof part === 'object' ? part.key : part))
  // Without the validator's own words, which may quote the data. A client may have chosen a name in the path.
  const where = quoted(['session', ...path].join('.')).slice(1, -1)
  throw new SessionError('ERR_SESSION_SCHEMA', `${where} does not pass the option schema, and is not saved; correct it`)
}
