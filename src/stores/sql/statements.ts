/** The statements of a store on a table, for any of the databases. */

export type SqlValue = string | number | null

/** A statement as the database takes it, and the names of its parameters in their order. */
export interface Statement {
  readonly text: string
  readonly order: readonly string[]
}

/** What the databases write differently. Parameters are `:name` here, and what the database wants in the end. */
export interface Dialect {
  quote(identifier: string): string
  /** The n-th parameter, from 1 on; absent: each is a question mark. */
  readonly parameter?: (position: number) => string
  /** The versions of the table, the first one first. */
  readonly versions: readonly Version[]
  /** The types that a column of each kind may have, as the database names them. */
  readonly types: Readonly<Record<Kind, RegExp>>
  /** Makes an index of one column. */
  index(table: Table, column: string): string
  /** Stores a record over none, or over one that has expired; changes no row where another is there. */
  create(table: string, columns: Columns): string
  /** Before it may be created again: what has expired; absent: `create` does that. */
  makeRoom?(table: string): string
  replace(table: string, columns: Columns): string
  /** The parameter `:data` as it is inserted; absent: as it is. */
  readonly inserted?: string
  /**
   * `data` with the members of the JSON object `:change` set, and those removed that are `null` there, or in one of the
   * parameters `gone`, each of which has one.
   */
  changed(gone: readonly string[]): string
  /** Whether what is removed has a parameter each; absent: it is in `:change`. */
  readonly removesOneByOne?: true
  /** The name as it is ordered by its bytes, where it is not by itself. */
  readonly nameInBytes?: string
  /** Whether `data` can be changed like that. */
  readonly isReadable: string
  readonly isEmpty: string
  /** How a statement that changes a row says what came of it: `version`, and whether it `is_empty`, where it can tell. */
  readonly returning: string
  /** The new version, and the new `seen_at`. */
  readonly nextVersion: string
  readonly nextSeen: string
  /**
   * The clock of the database: whole milliseconds since the epoch, whatever the time zone of the connection, and the same
   * for a whole statement, as an index is not used for an instant that changes on the way.
   */
  readonly clock: string
  /** Deletes at most so many rows that have expired at `instant`. */
  sweep(table: string, limit: number, instant: string): string
  /** How many rows that is. */
  readonly batch: number
}

/** The columns, and what is inserted into them. */
export interface Columns {
  readonly names: string
  readonly values: string
}

export interface Table {
  /** With its schema, if it has one, as the database takes it. */
  readonly quoted: string
  readonly schema: string | undefined
  readonly name: string
}

/** What a column holds. */
export type Kind = 'text' | 'json' | 'integer'

/** A version of the table: the columns that it has beside those of the version before it, or otherwise, and how it gets them. */
export interface Version {
  readonly columns: Readonly<Record<string, Kind>>
  /** The types that these need, where those of the dialect are not enough. */
  readonly types?: Partial<Readonly<Record<Kind, RegExp>>>
  upgrade(table: Table): readonly string[]
}

/** How many names one statement takes. */
export const CHUNK = 50

/** All that a store asks. */
export type Statements = ReturnType<typeof statementsFor>

const COLUMNS = {
  names: 'name, data, lifetime, version, subject, created_at, seen_at, expires_at, retired_at',
  values: (data: string) => `:name, ${data}, :lifetime, 0, :subject, :now, :now, :expires, NULL`,
}

/** `hasClock`: the store has a clock of its own, which `:now` is the time of. */
export function statementsFor(dialect: Dialect, { quoted: table }: Table, hasClock: boolean) {
  const { isReadable, returning } = dialect
  const clock = hasClock ? ':now' : dialect.clock
  const columns: Columns = { names: COLUMNS.names, values: COLUMNS.values(dialect.inserted ?? ':data') }
  const compile = (text: string) => compiled(text, dialect)
  const live = 'expires_at > :now AND retired_at IS NULL'
  const one = `name = :name AND ${live}`
  const many = Array.from({ length: CHUNK }, (_, index) => `:name${index}`).join(', ')
  const isTombstone = 'retired_at IS NOT NULL AND expires_at > :now'
  const extended = `seen_at = ${dialect.nextSeen}, expires_at = :expires`
  return {
    read: compile(`SELECT ${COLUMNS.names}, ${clock} - retired_at AS retired_for
      FROM ${table} WHERE name = :name AND expires_at > :now`),
    find: compile(`SELECT name FROM ${table} WHERE ${one} AND ${isReadable}`),
    list: compile(`SELECT ${COLUMNS.names} FROM ${table} WHERE subject = :subject AND ${live}`),
    newest: sized(limit =>
      compile(`SELECT ${COLUMNS.names} FROM ${table} WHERE subject = :subject AND ${live}
        ORDER BY created_at DESC, ${dialect.nameInBytes ?? 'name'} DESC LIMIT ${limit}`),
    ),
    some: sized(limit => compile(`SELECT name FROM ${table} WHERE subject = :subject AND ${live} LIMIT ${limit}`)),
    // Under the name of a column that is asked for, as an answer has to have one.
    count: compile(`SELECT COUNT(*) AS version FROM ${table} WHERE ${live} AND ${isReadable}`),
    create: compile(dialect.create(table, columns)),
    makeRoom: dialect.makeRoom && compile(dialect.makeRoom(table)),
    replace: compile(dialect.replace(table, columns)),
    removesOneByOne: dialect.removesOneByOne === true,
    /** With `limit` parameters for what is removed: `:gone0` and so on. */
    patch: sized(limit => {
      const data = dialect.changed(Array.from({ length: limit }, (_, at) => `:gone${at}`))
      return compile(`UPDATE ${table} SET data = ${data}, lifetime = :lifetime, version = ${dialect.nextVersion},
      subject = CASE WHEN :moves = 1 THEN :subject ELSE subject END, seen_at = :now, expires_at = :expires
      WHERE ${one} AND version = COALESCE(:version, version) AND ${isReadable} ${returning}`)
    }),
    // Every change gives it another version, a tombstone too.
    dropEmpty: compile(`DELETE FROM ${table}
      WHERE name = :name AND version = :version AND ${dialect.isEmpty}`),
    touch: compile(`UPDATE ${table} SET lifetime = :lifetime, ${extended} WHERE ${one} ${returning}`),
    // Whose it was stays in its column, and what has its place is in that of the lifetime.
    retire: compile(`UPDATE ${table} SET data = '{}', lifetime = :lifetime, version = version + 1,
      retired_at = ${clock}, ${extended}
      WHERE ${one} AND version = COALESCE(:version, version) ${returning}`),
    // What has expired is left to the sweep, as it does not count.
    removeOne: compile(`DELETE FROM ${table} WHERE ${one}`),
    removeMany: compile(`DELETE FROM ${table} WHERE name IN (${many}) AND ${live}`),
    tombstone: compile(`SELECT name, lifetime FROM ${table} WHERE name = :name AND ${isTombstone}`),
    tombstones: compile(`SELECT name, lifetime FROM ${table} WHERE name IN (${many}) AND ${isTombstone}`),
    forget: compile(`DELETE FROM ${table} WHERE name IN (${many}) AND ${isTombstone}`),
    names: compile(`SELECT name FROM ${table} WHERE subject = :subject AND expires_at > :now`),
    sweep: compile(dialect.sweep(table, dialect.batch, clock)),
    page: sized(limit =>
      compile(
        `SELECT ${COLUMNS.names} FROM ${table} WHERE name > :after AND expires_at > :now ORDER BY name LIMIT ${limit}`,
      ),
    ),
    // The version stays: it says what is in the members, and that is the same.
    rewrite: compile(`UPDATE ${table} SET data = ${dialect.changed([])}, subject = COALESCE(:subject, subject)
      WHERE name = :name AND created_at = :created AND version = COALESCE(:version, version) AND ${isReadable}`),
  }
}

/** A statement with a limit, as clients keep what they have prepared: one for each power of two that is enough. */
function sized(compile: (limit: number) => Statement): (limit: number) => Statement & { readonly limit: number } {
  const known = new Map<number, Statement & { readonly limit: number }>()
  return least => {
    const limit = 2 ** Math.ceil(Math.log2(Math.min(least, 2 ** 30)))
    const statement = known.get(limit) ?? { ...compile(limit), limit }
    known.set(limit, statement)
    return statement
  }
}

function compiled(text: string, { parameter }: Dialect): Statement {
  const order: string[] = []
  const sql = text.replace(/\s+/g, ' ').replace(/:([a-z]+\d*)/g, (_, name: string) => {
    const known = parameter ? order.indexOf(name) + 1 : 0
    const position = known || order.push(name)
    return parameter ? parameter(position) : '?'
  })
  return { text: sql.trim(), order }
}

/** The parameters of `statement`, in its order. */
export function valuesFor({ order }: Statement, values: Readonly<Record<string, SqlValue>>): SqlValue[] {
  return order.map(name => values[name] ?? null)
}

/** `table` in its parts, of which the last is the name. */
export function tableOf(dialect: Dialect, table: string): Table {
  const parts = table.split('.')
  const quoted = parts.map(part => dialect.quote(part)).join('.')
  return { quoted, schema: parts.length > 1 ? parts[0] : undefined, name: parts.at(-1) ?? table }
}

/**
 * `create` and `replace` of the databases that have `ON CONFLICT`. What replaces a record that is there keeps whose it
 * is and when it was made; a tombstone stays.
 */
export const onConflict: Pick<Dialect, 'create' | 'replace'> = {
  create: (table, { names, values }) => `INSERT INTO ${table} AS kept (${names}) VALUES (${values})
    ON CONFLICT (name) DO UPDATE SET data = excluded.data, lifetime = excluded.lifetime, version = 0,
    subject = excluded.subject, created_at = excluded.created_at, seen_at = excluded.seen_at,
    expires_at = excluded.expires_at, retired_at = NULL
    WHERE kept.expires_at <= :now`,

  replace: (table, { names, values }) => `INSERT INTO ${table} AS kept (${names}) VALUES (${values})
    ON CONFLICT (name) DO UPDATE SET data = excluded.data, lifetime = excluded.lifetime,
    version = CASE WHEN kept.expires_at > :now THEN kept.version + 1 ELSE 0 END,
    subject = CASE WHEN kept.expires_at > :now THEN kept.subject ELSE excluded.subject END,
    created_at = CASE WHEN kept.expires_at > :now THEN kept.created_at ELSE excluded.created_at END,
    seen_at = excluded.seen_at, expires_at = excluded.expires_at, retired_at = NULL
    WHERE kept.expires_at <= :now OR kept.retired_at IS NULL`,
}
