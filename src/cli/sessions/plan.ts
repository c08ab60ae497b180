/** What `sessions` is asked to do, as a value. Nothing is connected to yet. */

import { sealingSecrets } from '../../codec/secrets.ts'
import { HANDLE, type Values } from '../arguments.ts'
import { orUsage, parseSecrets } from '../secrets.ts'
import { UsageError } from '../usage.ts'

export type Task =
  | { readonly name: 'list'; readonly subject: string | undefined; readonly limit: number | undefined }
  | { readonly name: 'count'; readonly subject: string | undefined }
  | { readonly name: 'end'; readonly which: Ending; readonly isConfirmed: boolean }
  | { readonly name: 'sweep' }
  | { readonly name: 'reseal' }

/** One session, those of a subject but for one, or all. */
export type Ending =
  | { readonly of: 'handle'; readonly handle: string }
  | { readonly of: 'subject'; readonly subject: string; readonly except: string | undefined }
  | { readonly of: 'all' }

/** Where the sessions are. */
export interface Place {
  readonly kind: Kind
  readonly url: string
  /** A table, or a collection. */
  readonly table: string | undefined
  readonly prefix: string | undefined
}

export interface Plan {
  readonly task: Task
  readonly place: Place
  readonly hashIds: boolean
  /** The secrets of the store, the newest first. */
  readonly seal: readonly string[] | undefined
  readonly isJson: boolean
}

export type Kind = 'sqlite' | 'redis' | 'postgres' | 'mysql' | 'mongodb' | 'dynamodb'

const KINDS: Readonly<Record<string, Kind>> = {
  'sqlite:': 'sqlite',
  'redis:': 'redis',
  'rediss:': 'redis',
  'postgres:': 'postgres',
  'postgresql:': 'postgres',
  'mysql:': 'mysql',
  'mariadb:': 'mysql',
  'mongodb:': 'mongodb',
  'mongodb+srv:': 'mongodb',
  'dynamodb:': 'dynamodb',
}

const OF_ALL = ['store', 'table', 'prefix', 'plain-ids', 'json']
const OWN: Readonly<Record<Task['name'], readonly string[]>> = {
  list: ['subject', 'limit'],
  count: ['subject'],
  end: ['handle', 'subject', 'except', 'all', 'yes'],
  sweep: [],
  reseal: [],
}

/** Throws `UsageError`. `canAsk`: whether there is a terminal. */
export function planOf(
  values: Values,
  operands: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  canAsk: boolean,
): Plan {
  const [name, ...others] = operands
  if (!isTask(name) || others.length > 0) throw new UsageError(`sessions takes one of ${Object.keys(OWN).join(', ')}`)
  const foreign = Object.keys(values).find(option => ![...OF_ALL, ...OWN[name]].includes(option))
  if (foreign !== undefined) throw new UsageError(`sessions ${name} does not take --${foreign}`)
  const task = taskOf(name, values)
  if (task.name === 'end' && task.which.of !== 'handle' && !task.isConfirmed && !canAsk) {
    throw new UsageError('this may end many sessions, and there is no terminal to ask at: say --yes')
  }
  const seal = sealOf(environment.KOA_SESSION_SEAL)
  if (name === 'reseal' && !seal) throw new UsageError('reseal needs the secrets of the store in KOA_SESSION_SEAL')
  const place = placeOf(values, environment.KOA_SESSION_STORE)
  if (name === 'sweep' && place.kind === 'dynamodb') {
    throw new UsageError('there is nothing to sweep: DynamoDB deletes what has expired by itself')
  }
  return { task, place, hashIds: !values['plain-ids'], seal, isJson: values.json === true }
}

function isTask(name: string | undefined): name is Task['name'] {
  return name !== undefined && Object.hasOwn(OWN, name)
}

function taskOf(name: Task['name'], values: Values): Task {
  const { subject, limit, yes = false } = values
  if (subject === '') throw new UsageError('--subject is empty: a variable was probably not set')
  if (name === 'list') return { name, subject, limit: limitOf(limit) }
  if (name === 'count') return { name, subject }
  return name === 'end' ? { name, which: endingOf(values), isConfirmed: yes } : { name }
}

function limitOf(limit: string | undefined): number | undefined {
  if (limit === undefined) return undefined
  if (!/^[1-9]\d{0,14}$/.test(limit)) throw new UsageError('--limit is not a positive integer')
  return Number(limit)
}

function endingOf({ handle, subject, except, all = false }: Values): Ending {
  const given = [handle !== undefined, subject !== undefined, all].filter(Boolean)
  if (given.length !== 1) throw new UsageError('end takes one of --handle, --subject and --all')
  for (const [name, value] of Object.entries({ handle, except })) {
    if (value !== undefined && !HANDLE.test(value)) {
      throw new UsageError(`--${name} is not a handle, which has 43 characters: sessions list prints them`)
    }
  }
  if (except !== undefined && subject === undefined) throw new UsageError('--except goes with --subject alone')
  if (handle !== undefined) return { of: 'handle', handle }
  return subject === undefined ? { of: 'all' } : { of: 'subject', subject, except }
}

function sealOf(text: string | undefined): readonly string[] | undefined {
  const secrets = parseSecrets(text, 'KOA_SESSION_SEAL')
  if (secrets.length === 0) return undefined
  orUsage(() => sealingSecrets(secrets, 'KOA_SESSION_SEAL'))
  return secrets
}

function placeOf({ store, table, prefix }: Values, fromEnvironment: string | undefined): Place {
  const url = store ?? fromEnvironment ?? ''
  if (url === '') throw new UsageError('no store is named: by --store, or by its URL in KOA_SESSION_STORE')
  const scheme = /^[a-z][a-z+]*:/i.exec(url)?.[0].toLowerCase() ?? ''
  const kind = Object.hasOwn(KINDS, scheme) ? KINDS[scheme] : undefined
  if (!kind) throw new UsageError(`the URL of the store has to begin with one of ${Object.keys(KINDS).join(' ')}`)
  const fault = faultIn(kind, url)
  if (fault) throw new UsageError(`the URL of the store ${fault}`)
  if (table !== undefined && kind === 'redis') throw new UsageError('Redis has no table: give --prefix')
  if (prefix !== undefined && kind !== 'redis' && kind !== 'dynamodb') {
    throw new UsageError('--prefix is for Redis and DynamoDB: give --table')
  }
  return { kind, url, table, prefix }
}

function faultIn(kind: Kind, url: string): string | undefined {
  if (kind === 'sqlite') return pathIn(url) === '' ? 'has no path: sqlite:data/sessions.db' : undefined
  // It may name no region, or several hosts: no other URL may.
  if (kind === 'dynamodb') return /^dynamodb:(\/\/[a-z\d-]+)?$/i.test(url) ? undefined : 'is not dynamodb://REGION'
  if (kind === 'mongodb') return /^[^/]+:\/\/[^/]/.test(url) ? undefined : 'names no host'
  const parsed = parsedUrl(url)
  if (!parsed) return 'is none: write what is special in its password, such as # or /, as % and two digits'
  return kind === 'mysql' && parsed.pathname.length < 2 ? 'names no database: mysql://USER@HOST/DATABASE' : undefined
}

function parsedUrl(url: string): URL | undefined {
  try {
    return /^[^/]+:\/\//.test(url) ? new URL(url) : undefined
  } catch {
    return undefined
  }
}

/** The path of a file: `sqlite:a.db` and `sqlite://a.db` are relative, `sqlite:/a.db` and `sqlite:///a.db` are not. */
export function pathIn(url: string): string {
  return url.replace(/^sqlite:(\/\/)?/i, '')
}
