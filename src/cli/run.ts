import { SessionError } from '../errors.ts'
import { parse, type Values } from './arguments.ts'
import { inspect, type Report } from './inspect.ts'
import { printableJson } from './printable.ts'
import { parseSecrets } from './secrets.ts'
import { type Admin, administer } from './sessions/administer.ts'
import { DIALECT_NAMES, isDialect, sqlOf } from './sql.ts'
import { textOf } from './text.ts'
import { EXIT, HELP, UsageError } from './usage.ts'

/** What the command needs of the process that it runs in. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** What is piped in; `undefined` where a person would have to type it. */
  readInput(): Promise<string | undefined>
  /** The clock, in milliseconds. */
  now(): number
  random(size: number): Buffer
  readonly version: string
  /** What `sessions` needs, which talks to a store. */
  readonly admin: Admin
}

export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** In characters. No server takes a header that long (Node: 16 kB). */
export const LONGEST_INPUT = 65_536

/** Does what the command line says. Never rejects for what it was given. */
export async function run(parameters: readonly string[], surroundings: Surroundings): Promise<Outcome> {
  try {
    const { values, positionals } = parse(parameters)
    if (values.help) return printed(HELP)
    if (values.version) return printed(`${surroundings.version}\n`)
    const [command, ...operands] = positionals
    if (command === 'keygen') return keygen(values, operands, surroundings)
    if (command === 'inspect') return await inspectCookie(values, operands, surroundings)
    if (command === 'sql') return sql(values, operands)
    if (command === 'sessions') return await administer(values, operands, surroundings.environment, surroundings.admin)
    throw new UsageError(command === undefined ? 'a command is missing' : 'there is no such command')
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    return { code: EXIT.usage, stdout: '', stderr: `koa-session: ${error.message}; see koa-session --help\n` }
  }
}

function keygen(values: Values, operands: readonly string[], { random }: Surroundings): Outcome {
  if (Object.keys(values).length > 0 || operands.length > 0) throw new UsageError('keygen takes nothing')
  return printed(`${random(32).toString('base64url')}\n`)
}

function sql(
  { dialect, table = 'sessions', user, from = '0', ...others }: Values,
  operands: readonly string[],
): Outcome {
  if (!isDialect(dialect)) throw new UsageError(`--dialect has to be one of ${DIALECT_NAMES}`)
  if (user !== undefined && !/^[A-Za-z_]\w*$/.test(user)) throw new UsageError('--user is not a name')
  if (!/^\d{1,4}$/.test(from)) throw new UsageError('--from is not the number of a version')
  if (operands.length > 0 || Object.keys(others).length > 0) {
    throw new UsageError('sql takes --dialect, --table, --user and --from, and nothing else')
  }
  try {
    return printed(sqlOf(dialect, { table, user, from: Number(from) }))
  } catch (error) {
    if (error instanceof SessionError) throw new UsageError('--table is not a name such as sessions or app.sessions')
    throw error
  }
}

async function inspectCookie(values: Values, operands: readonly string[], from: Surroundings): Promise<Outcome> {
  const { key = 'koa.sess', unsigned = false, show = false, json = false, ...others } = values
  const [foreign] = Object.keys(others)
  if (foreign !== undefined) throw new UsageError(`inspect does not take --${foreign}`)
  if (operands.length > 1) throw new UsageError('inspect takes one cookie: put it in quotes')
  if (!/^[^\s;=]+$/.test(key)) throw new UsageError('--key is not the name of a cookie')
  const secrets = parseSecrets(from.environment.KOA_SESSION_KEYS)
  const text = await cookieText(operands[0], from)
  const now = from.now()
  const report = inspect(text, { key, secrets, unsigned, show, now })
  return {
    code: EXIT[report.verdict],
    stdout: json ? `${printableJson(report)}\n` : textOf(report, now),
    stderr: hint(report),
  }
}

/** Beside the report: standard output may go to a script, and it takes a person to set the variable. */
function hint({ verdict }: Report): string {
  return verdict === 'unknown' ? 'koa-session: secrets are needed in KOA_SESSION_KEYS; see koa-session --help\n' : ''
}

async function cookieText(operand: string | undefined, from: Surroundings): Promise<string> {
  const text = operand === undefined || operand === '-' ? await from.readInput() : operand
  if (!text?.trim()) throw new UsageError('a cookie is missing: as an argument, or piped in')
  if (text.length > LONGEST_INPUT) throw new UsageError(`the cookie has more than ${LONGEST_INPUT} characters`)
  return text
}

function printed(stdout: string): Outcome {
  return { code: EXIT.accepted, stdout, stderr: '' }
}
