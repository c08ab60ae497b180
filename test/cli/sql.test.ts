import assert from 'node:assert/strict'
import test from 'node:test'
import { mysqlStore } from 'koa-session/mysql'
import { postgresStore } from 'koa-session/postgres'
import { sqliteStore } from 'koa-session/sqlite'
import Database from 'libsql'
import { run } from '../../src/cli/run.ts'
import { grantsIn } from '../stores/support/grants.ts'
import { surroundings } from './surroundings.ts'

const QUIET = { sweepEvery: false } as const
const never = () => Promise.reject(new Error('nothing is asked'))

function ran(...parameters: string[]) {
  return run(['sql', ...parameters], surroundings())
}

async function printed(...parameters: string[]): Promise<string> {
  const { code, stdout, stderr } = await ran(...parameters)
  assert.deepEqual([code, stderr], [0, ''])
  return stdout
}

/** The statements of a script, without its comments. */
function statementsIn(script: string): string[] {
  const code = script.replace(/^--.*$/gm, '')
  return code
    .split(';\n')
    .map(statement => statement.trim())
    .filter(statement => statement !== '')
}

test('the statements are those that setup() runs, for each dialect and table', async () => {
  for (const table of ['sessions', 'app.Sessions']) {
    const options = { ...QUIET, table }
    const rows = [
      ['postgres', postgresStore({ query: never }, options)],
      ['mysql', mysqlStore({ execute: never, query: never }, options)],
      ['sqlite', sqliteStore(new Database(':memory:'), options)],
    ] as const
    for (const [dialect, store] of rows) {
      const script = await printed('--dialect', dialect, '--table', table)
      assert.deepEqual(statementsIn(script), store.setupSql, `${dialect}, ${table}`)
      assert.match(
        script,
        new RegExp(`^-- koa-session, ${dialect}: the table ${table}, version ${store.schemaVersion}\n`),
      )
      const upgrade = await printed('--dialect', dialect, '--table', table, '--from', '1')
      assert.deepEqual(statementsIn(upgrade), store.upgradeSql(1), `${dialect} from 1`)
      assert.equal(/^-- nothing is to be done$/m.test(upgrade), store.schemaVersion === 1, dialect)
      assert.match(upgrade, /^-- koa-session, \w+: the table \S+, from version 1 to \d\n/)
    }
  }
})

test('the rights are those that the documents name, on the table by the name that it has', async () => {
  const plain = (text: string) => text.replace(/["`]/g, '')
  for (const [dialect, table] of [
    ['postgres', 'sessions'],
    ['mysql', 'test.sessions'],
  ] as const) {
    const script = await printed('--dialect', dialect, '--table', table, '--user', 'app_user')
    const grants = statementsIn(script).filter(statement => statement.startsWith('GRANT'))
    assert.deepEqual(grants.map(plain), grantsIn(dialect), dialect)
  }
  assert.match(
    await printed('--dialect', 'postgres', '--table', 'app.Sessions', '--user', 'me'),
    /ON "app"\."Sessions" TO "me";/,
  )
  assert.doesNotMatch(await printed('--dialect', 'sqlite', '--user', 'me'), /GRANT/)
})

test('a table that the script has made is complete for setup()', async t => {
  const db = new Database(':memory:')
  t.after(() => db.close())
  db.exec(await printed('--dialect', 'sqlite'))
  const store = sqliteStore({ exec: () => assert.fail('it was not complete'), prepare: sql => db.prepare(sql) }, QUIET)
  await store.setup()
})

test('a wrong call says what is expected, and repeats no value', async () => {
  const rows: ReadonlyArray<readonly [parameters: string[], what: RegExp]> = [
    [[], /--dialect has to be one of postgres, mysql, sqlite/],
    [['--dialect', 'secret'], /--dialect has to be one of/],
    [['--dialect', 'toString'], /--dialect has to be one of/],
    [['--dialect', 'sqlite', '--table', 'secret; DROP'], /--table is not a name such as/],
    [['--dialect', 'sqlite', '--user', "secret'"], /--user is not a name/],
    [['--dialect', 'sqlite', '--user', '1secret'], /--user is not a name/],
    [['--dialect', 'sqlite', '--user='], /--user is not a name/],
    [['--dialect', 'sqlite', '--from', '-1'], /--from/],
    [['--dialect', 'sqlite', '--from', '2'], /--from is a later version than 1, the one of this release/],
    [['--dialect', 'sqlite', '--from', '1secret'], /--from is not the number of a version/],
    [['--dialect', 'sqlite', '--from', 'secret'], /--from is not the number of a version/],
    [['--dialect', 'sqlite', 'secret'], /sql takes --dialect, --table, --user and --from/],
    [['--dialect', 'sqlite', '--json'], /sql takes --dialect/],
  ]
  for (const [parameters, what] of rows) {
    const { code, stdout, stderr } = await ran(...parameters)
    assert.deepEqual([code, stdout], [2, ''], String(parameters))
    assert.match(stderr, what)
    assert.doesNotMatch(stderr, /secret/)
  }
  const { code, stderr } = await run(['inspect', '--table', 'a', 'koa.sess=a'], surroundings())
  assert.equal(code, 2)
  assert.match(stderr, /inspect does not take --table/)
})
