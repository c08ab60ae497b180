import { SessionError } from '../errors.ts'
import type { StandardResult, StandardSchema } from '../options.ts'
import { METADATA, type Payload } from '../session/payload.ts'

/** Whether the data of a payload passes. A promise where the validator is async. */
export function passesSchema(schema: StandardSchema | undefined, payload: Payload): boolean | Promise<boolean> {
  if (!schema) return true
  const data = Object.fromEntries(Object.entries(payload).filter(([name]) => !METADATA.has(name)))
  const result = schema['~standard'].validate(data)
  return 'then' in result ? result.then(passes) : passes(result)
}

/**
 * Throws `ERR_SESSION_SCHEMA`, naming the key, when `text`, the JSON of the data, does not pass: what is checked is
 * what the next request will read, so that nothing is saved that would be refused then.
 */
export function checkSchema(schema: StandardSchema | undefined, text: string): void | Promise<void> {
  if (!schema) return
  const result = schema['~standard'].validate(JSON.parse(text))
  return 'then' in result ? result.then(refuse) : refuse(result)
}

function passes(result: StandardResult): boolean {
  return !result.issues
}

function refuse(result: StandardResult): void {
  const issue = result.issues?.[0]
  if (!issue) return
  const path = (issue.path ?? []).map(part => String(typeof part === 'object' ? part.key : part))
  const where = path.length > 0 ? `session.${path.join('.')}` : 'the session'
  throw new SessionError('ERR_SESSION_SCHEMA', `${where} does not pass the schema: ${issue.message}`)
}
