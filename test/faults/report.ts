/* What was found, as a table in Markdown. */
import type { Trial } from './trial.ts'

const COLUMNS: Readonly<Record<string, (trial: Trial) => string | number>> = {
  server: ({ server }) => server,
  fault: ({ fault }) => fault,
  requests: ({ requests }) => requests,
  errors: ({ errors }) => list(errors),
  'longest (ms)': ({ longest, longestBy }) =>
    `${round(longest)} (${Object.keys(longestBy).find(page => longestBy[page] === longest)})`,
  'first good (ms)': ({ firstGood }) => round(firstGood),
  'last error (ms)': ({ lastError }) => round(lastError),
  sessions: ({ findings }) => findings.sessions,
  missing: ({ findings }) => findings.missing,
  'updates lost': ({ findings }) => findings.lost,
  'counted twice': ({ findings }) => findings.twice,
  risen: ({ findings }) => findings.risen,
  mixed: ({ findings }) => findings.mixed,
  'public failed': ({ publicFailed }) => publicFailed,
  'heap (MB)': ({ before, after }) => `${megabytes(before?.heapUsed)} → ${megabytes(after?.heapUsed)}`,
  'rss (MB)': ({ before, after }) => `${megabytes(before?.rss)} → ${megabytes(after?.rss)}`,
  'died, rejections': ({ deaths, rejections }) => `${deaths}, ${rejections ?? '?'}`,
  promises: verdictOf,
}

export const isFailure = ({ broken, known }: Trial) => broken.length > 0 && known === undefined

export function verdictOf({ broken, known }: Trial): string {
  if (broken.length === 0) return 'kept'
  return `broken: ${broken.join('; ')}${known === undefined ? '' : `, as ${known}`}`
}

export function tableOf(trials: readonly Trial[]): string {
  const names = Object.keys(COLUMNS)
  const rows = trials.map(trial => names.map(name => COLUMNS[name]?.(trial) ?? ''))
  return [names, names.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`).join('\n')
}

function list(errors: Trial['errors']): string {
  const entries = Object.entries(errors).sort(([, a], [, b]) => b - a)
  return entries.map(([name, count]) => `${count} × ${name}`).join(', ') || 'none'
}

const round = (ms: number | undefined) => (ms === undefined ? 'never' : Math.round(ms))
const megabytes = (bytes: number | undefined) => (bytes === undefined ? '?' : (bytes / 2 ** 20).toFixed(1))
