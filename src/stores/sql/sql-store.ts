import { digest } from '../../codec/digest.ts'
import { after, checkOption } from '../after.ts'
import { checkRowOptions } from '../options.ts'
import { recordStore } from '../record-store.ts'
import type { OnExpired, RecordStore, RowOptions } from '../rows.ts'
import { checkListener, tell } from '../told.ts'
import { type Desk, setUp, upgradesFrom } from './set-up.ts'
import { type SqlClient, sqlRows } from './sql-rows.ts'
import { type Dialect, statementsFor, type Table, tableOf } from './statements.ts'
import { startSweeper } from './sweeper.ts'

/** The options of the stores in SQL databases. */
export interface SqlStoreOptions extends RowOptions {
  /**
   * The table, with its schema if need be (`app.sessions`): ASCII letters, digits and `_`, at most 63 characters. It is
   * quoted, so that a database that tells upper case from lower case does so. Default `sessions`.
   */
  readonly table?: string | undefined
  /**
   * How long the store waits from one sweep, which deletes what has expired, to the next, give or take a tenth: in
   * milliseconds, at most 2^30. `false`: it does not sweep by itself. Default a quarter of an hour. The timer keeps no
   * process alive.
   */
  readonly sweepEvery?: number | false | undefined
  /**
   * Told why a sweep of the timer's failed. Default: a process warning (`KOA_SESSION_SWEEP`), once per process. Nothing is
   * lost by it: what has expired is never given out, and the next sweep deletes it.
   */
  readonly onSweepError?: ((error: unknown) => void) | undefined
  /** Told how many rows a batch of a sweep has deleted, of sessions and of retired ids: `{ count }`. */
  readonly onExpired?: OnExpired | undefined
}

/** A store in a table. */
export interface SqlStore extends RecordStore {
  /**
   * Makes the table and its indexes, or what is missing of them, of a table of an older version too. Processes that start
   * together may all do so. If nothing is missing, it only reads which columns there are: the rights to SELECT, INSERT,
   * UPDATE and DELETE are enough. Rejects with `ERR_SESSION_OPTION` if the table is somebody else's.
   */
  setup(): Promise<void>
  /** What `setup` does where there is no table, statement by statement, for those who run migrations. */
  readonly setupSql: readonly string[]
  /** The version of the table that this store uses. A table of an older version needs `upgradeSql`, or `setup()`. */
  readonly schemaVersion: number
  /**
   * The statements that make a table of version `from` one of `schemaVersion`, in their order; from 0: `setupSql`. Throws
   * `ERR_SESSION_OPTION` where `from` is no such version.
   */
  upgradeSql(from: number): readonly string[]
  /**
   * Deletes what has expired by the option `now`, or by the clock of the database where that was not given: 500 rows a
   * statement, of SQLite 50, with a pause after each as long as it took, a second at most. Says how many there were.
   */
  sweep(): Promise<number>
  /** Stops the timer, and waits for the sweep that is under way. What was handed over (pool, database) stays open. */
  close(): Promise<void>
}

export interface SqlStoreParts {
  readonly dialect: Dialect
  readonly client: SqlClient
  readonly desk: Desk
}

const TABLE = /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?$/
const QUARTER_OF_AN_HOUR = 900_000
const LONGEST_WAIT = 2 ** 30

/** The store of `maker`, which an error names; `own`: the names of its own options. Throws `ERR_SESSION_OPTION`. */
export function sqlStore(
  maker: string,
  { dialect, client, desk }: SqlStoreParts,
  options: SqlStoreOptions,
  own: readonly string[] = [],
): SqlStore {
  checkRowOptions(maker, options, [...own, 'table', 'sweepEvery', 'onSweepError', 'onExpired'])
  checkOptions(maker, options)
  checkListener(maker, 'onExpired', options.onExpired)
  const { table: name = 'sessions', sweepEvery = QUARTER_OF_AN_HOUR, onSweepError, now = Date.now } = options
  const table = tableOf(dialect, name)
  const statements = statementsFor(dialect, table, options.now !== undefined)
  const store = recordStore(maker, sqlRows(client, statements, now), options)
  const deleteBatch = () =>
    after(client.count(statements.sweep, { now: Math.floor(now()) }), count => {
      if (count > 0) tell(options.onExpired, { count })
      return count
    })
  const sweeper = startSweeper(deleteBatch, {
    every: sweepEvery,
    batch: dialect.batch,
    onError: onSweepError,
  })
  const schemaVersion = dialect.versions.length
  return {
    ...store,
    ...sweeper,
    setupSql: upgradesFrom(0, dialect, table),
    schemaVersion,
    upgradeSql(from) {
      const isVersion = Number.isInteger(from) && from >= 0 && from <= schemaVersion
      checkOption(maker, 'upgradeSql', from, isVersion, `a version from 0 to ${schemaVersion}`)
      return upgradesFrom(from, dialect, table)
    },
    setup: () => setUp(maker, dialect, table, desk),
  }
}

function checkOptions(maker: string, { table, sweepEvery, onSweepError, now }: SqlStoreOptions): void {
  const isName = table === undefined || (typeof table === 'string' && table.length <= 63 && TABLE.test(table))
  checkOption(maker, 'table', table, isName, 'a name such as sessions or app.sessions, of at most 63 characters')
  const isWait = typeof sweepEvery === 'number' && sweepEvery > 0 && sweepEvery <= LONGEST_WAIT
  const isGood = sweepEvery === undefined || sweepEvery === false || isWait
  checkOption(maker, 'sweepEvery', sweepEvery, isGood, `false, or milliseconds, at most ${LONGEST_WAIT}`)
  const isCallback = onSweepError === undefined || typeof onSweepError === 'function'
  checkOption(maker, 'onSweepError', onSweepError, isCallback, 'a function')
  checkOption(maker, 'now', now, now === undefined || typeof now === 'function', 'a function that gives milliseconds')
}

/** Of which rows an index is, where it needs not be of all. */
export function whereOf(column: string): string {
  return column === 'subject' ? ' WHERE subject IS NOT NULL' : ''
}

/** The name of an index, no longer than any database has them: what is longer would be cut off, and be the same for two. */
export function indexName({ name }: Table, column: string): string {
  const full = `${name}_${column}`
  return full.length <= 63 ? full : `${digest(full).slice(0, 20)}_${column}`
}
