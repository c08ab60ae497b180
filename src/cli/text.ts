import type { Entry } from './content.ts'
import type { Reason, Report } from './inspect.ts'
import { printable, printableJson, printableName } from './printable.ts'

type Line = readonly [label: string, text: string]

/** `report` for people, at the instant `now`. */
export function textOf(report: Report, now: number): string {
  const { data = [] } = report
  const lines = [...cookieLines(report), ...lifetimeLines(report, now)]
  return [
    summary(report),
    ...lines.map(([label, text]) => `  ${label.padEnd(9)} ${text}`),
    ...data.map(entry => `  ${entryText(entry)}`),
    '',
  ].join('\n')
}

function summary(report: Report): string {
  const { verdict, reason } = report
  const key = printableName(report.key)
  if (!reason) return `${key} would be accepted`
  const head = verdict === 'refused' ? `${key} would be refused` : `${key} can't be verified`
  return `${head}: ${reason} (${EXPLANATIONS[reason](report)})`
}

const EXPLANATIONS: Readonly<Record<Reason, (report: Report) => string>> = {
  missing: ({ pieces }) =>
    pieces > 1
      ? `it was cut into ${pieces} pieces, and not all are there`
      : 'there is no cookie of this name, or it is empty; --key names another',
  size: ({ limit }) => `browsers drop and the middleware ignores a cookie of more than ${limit} bytes`,
  signature: report =>
    report.protection === 'unsigned'
      ? `no signature, ${printableName(`${report.key}.sig`)}, came with it; --unsigned asks for none`
      : `it is not what one of the ${secrets(report)} ${report.protection} for a cookie of this name`,
  undecodable: ({ protection }) =>
    protection === 'sealed'
      ? 'it is not a whole sealed value, or no session is in it'
      : 'it is not a session in base64',
  expired: () => 'its lifetime has ended',
  secrets: ({ protection }) => `it is ${protection}, and KOA_SESSION_KEYS has no secrets`,
}

function secrets({ secretCount }: Report): string {
  return `${secretCount} secret${secretCount === 1 ? '' : 's'}`
}

function cookieLines(report: Report): Line[] {
  const { protection, cookies, limit, ignored, id } = report
  return [
    ...(protection ? [['session', place(report)] as const, ['secret', secretText(report)] as const] : []),
    ...cookies.map(({ name, bytes }) => ['size', `${bytes} of ${limit} bytes: ${printableName(name)}`] as const),
    ...(ignored > 0 ? [['ignored', `${ignored} more of the same name: the first one counts`] as const] : []),
    ...(id === undefined ? [] : [['id', printable(id)] as const]),
  ]
}

function place({ mode, protection, cookies }: Report): string {
  if (mode === 'stored') return `in a store, which was not asked; its id is in the cookie, ${protection}`
  const where = cookies.length > 1 ? `in ${cookies.length} cookies` : 'in the cookie'
  return mode === 'cookie' ? `${where}, ${protection}` : `${where}, ${protection}, and was not opened`
}

function secretText({ secret, secretCount }: Report): string {
  if (secret === undefined) return 'none: nothing of this is verified'
  if (secret > 0) return `${secret}, where 0 is the newest: the next response renews the cookie`
  return secretCount > 1 ? `0, the newest of ${secretCount}` : '0, the only one'
}

function lifetimeLines({ created, expires, maxAge, fresh, dataVersion, data }: Report, now: number): Line[] {
  if (!data) return []
  const ending = maxAge === 'session' ? 'when the browser closes' : 'not said'
  return [
    ['created', instant(created, now) ?? 'not said'],
    ['expires', instant(expires, now) ?? ending],
    ['lifetime', typeof maxAge === 'number' ? `${duration(maxAge)} idle (${maxAge} ms)` : ending],
    ['fresh', instant(fresh, now) ?? 'never marked'],
    ...(dataVersion === undefined ? [] : [['version', String(dataVersion)] as const]),
    ['data', `${data.length} key${data.length === 1 ? '' : 's'}`],
  ]
}

function entryText({ name, bytes, ...entry }: Entry): string {
  const shown = 'value' in entry ? ` = ${printableJson(entry.value)}` : ''
  return `${String(bytes).padStart(9)} bytes  ${printableName(name)}${shown}`
}

function instant(milliseconds: number | undefined, now: number): string | undefined {
  if (milliseconds === undefined) return undefined
  const date = new Date(milliseconds)
  // A stranger's number need not be a date.
  const text = Number.isNaN(date.getTime()) ? `${milliseconds} ms` : date.toISOString()
  return milliseconds > now
    ? `${text}, in ${duration(milliseconds - now)}`
    : `${text}, ${duration(now - milliseconds)} ago`
}

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
] as const

function duration(milliseconds: number): string {
  const [unit, size] = UNITS.find(([, size]) => milliseconds >= size) ?? ['millisecond', 1]
  const count = Math.floor(milliseconds / size)
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}
