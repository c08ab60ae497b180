/** `koa-session sessions` on real servers: the same story on each. */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { after, before } from 'node:test'
import { dynamodbStore } from 'koa-session/dynamodb'
import { mongoStore } from 'koa-session/mongodb'
import { mysqlStore } from 'koa-session/mysql'
import { postgresStore } from 'koa-session/postgres'
import { redisStore } from 'koa-session/redis'
import { MongoClient } from 'mongodb'
import mysql from 'mysql2/promise'
import { createClient } from 'redis'
import { run as command } from '../../../src/cli/run.ts'
import { run } from '../../cli/spawned.ts'
import { digest, fill, fingerprint } from '../../cli/stored.ts'
import { surroundings } from '../../cli/surroundings.ts'
import type { ServerName } from '../../servers/available.ts'
import { startDynalite } from '../../servers/dynalite.ts'
import { dynamodbOn } from '../../servers/dynamodb-client.ts'
import { startMariadb } from '../../servers/mariadb.ts'
import { newName, startMongodb } from '../../servers/mongodb.ts'
import { freePort } from '../../servers/place.ts'
import { poolOf } from '../../servers/pool.ts'
import { startPostgres } from '../../servers/postgres.ts'
import { startRedis } from '../../servers/redis.ts'
import { row, suiteOn } from '../../servers/report.ts'
import { newSecret } from '../../support/secrets.ts'

/** As much of a store and of a server as the story needs. */
interface Store extends Pick<Parameters<typeof fill>[0], 'create'> {
  setup?(): Promise<void>
}

interface Place {
  readonly store: Store
  /** What the command is given. */
  readonly url: string
  readonly parameters?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  close(): unknown
}

interface Server {
  readonly url: string
  stop(): unknown
}

interface Kind {
  readonly name: ServerName
  readonly store: string
  start(): Promise<Server>
  open(url: string, seal: readonly string[]): Promise<Place>
  /** Whether there is something to sweep. */
  readonly sweeps: boolean
  /** The packages that the command takes. */
  readonly clients: readonly string[]
}

const KINDS: readonly Kind[] = [
  {
    name: 'redis',
    store: 'redis',
    start: () => startRedis(),
    async open(url, seal) {
      const client = await createClient({ url }).connect()
      const store = redisStore(client as never, { seal, prefix: 'app:' })
      return { store, url, parameters: ['--prefix', 'app:'], close: () => client.destroy() }
    },
    sweeps: true,
    clients: ['redis', 'ioredis', 'iovalkey'],
  },
  {
    name: 'postgres-npm',
    store: 'postgres',
    start: () => startPostgres({ source: 'npm' }),
    async open(url, seal) {
      const pool = poolOf({ connectionString: url })
      const store = postgresStore(pool, { seal, sweepEvery: false, table: 'public.others' })
      return { store, url, parameters: ['--table', 'public.others'], close: () => pool.end() }
    },
    sweeps: true,
    clients: ['pg', 'postgres'],
  },
  {
    name: 'mariadb',
    store: 'mysql',
    start: () => startMariadb(),
    async open(url, seal) {
      const pool = mysql.createPool(url)
      return { store: mysqlStore(pool as never, { seal, sweepEvery: false }), url, close: () => pool.end() }
    },
    sweeps: true,
    clients: ['mysql2/promise', 'mariadb'],
  },
  {
    name: 'mongodb',
    store: 'mongodb',
    start: () => startMongodb(),
    async open(url, seal) {
      const client = await new MongoClient(url).connect()
      const table = newName()
      const store = mongoStore(client.db().collection(table) as never, { seal })
      return { store, url, parameters: ['--table', table], close: () => client.close() }
    },
    sweeps: true,
    clients: ['mongodb', 'mongoose'],
  },
  {
    name: 'dynalite',
    store: 'dynamodb',
    start: () => startDynalite(),
    async open(url, seal) {
      const client = dynamodbOn(url)
      return {
        store: dynamodbStore(client as never, { seal }) as unknown as Store,
        url: 'dynamodb://eu-central-1',
        environment: {
          AWS_ENDPOINT_URL_DYNAMODB: url,
          AWS_ACCESS_KEY_ID: 'test',
          AWS_SECRET_ACCESS_KEY: 'test',
          // Of the SDK, about the Node that it runs on.
          NODE_NO_WARNINGS: '1',
        },
        close: () => client.destroy(),
      }
    },
    sweeps: false,
    clients: [],
  },
]

/** What an application loads that has one client. */
function only(client: string) {
  const require = createRequire(import.meta.url)
  return (name: string): unknown => {
    if (name === client) return require(name)
    throw Object.assign(new Error('Cannot find module'), { code: 'MODULE_NOT_FOUND' })
  }
}

for (const { name, store, start, open, sweeps, clients } of KINDS) {
  suiteOn(name, `the command on ${store}`, title => {
    const { test } = row({ store, client: '(command line)', server: title })
    const [OLD, NEW] = [newSecret(), newSecret()]
    let server: Server
    let place: Place
    before(async () => {
      server = await start()
      place = await open(server.url, [OLD])
      await place.store.setup?.()
    })
    after(async () => {
      await place.close()
      await server.stop()
    })

    test('lists, counts, seals anew and ends what an application has stored', async () => {
      await fill(place.store, { a: 'ada', b: 'ada', c: 'ada', d: 'eve', e: undefined })
      const ran = (parameters: string, secrets = `${NEW},${OLD}`) =>
        run(['sessions', ...parameters.split(' '), ...(place.parameters ?? [])], {
          environment: { ...place.environment, KOA_SESSION_STORE: place.url, KOA_SESSION_SEAL: secrets },
        })
      const { code, stdout, stderr } = await ran('list --json')
      assert.deepEqual([code, stderr], [0, ''])
      const lines = stdout
        .trimEnd()
        .split('\n')
        .map(line => JSON.parse(line))
      assert.deepEqual(lines.map(({ handle }) => handle).sort(), ['a', 'b', 'c', 'd', 'e'].map(digest).sort())
      assert.deepEqual(lines.find(({ handle }) => handle === digest('d')).subjectHash, digest('eve'))
      assert.doesNotMatch(stdout, /secret-of-ada/)
      const story: ReadonlyArray<readonly [parameters: string, stdout: string, secrets?: string]> = [
        ['count', '5\n'],
        ['count --subject ada', '3\n'],
        ['count --subject ada', '0\n', NEW],
        ['reseal', '5 sealed anew\n'],
        ['count --subject ada', '3\n', NEW],
        [`end --handle ${digest('a')}`, '1 session ended\n'],
        [`end --handle ${digest('e')}`, '1 session ended\n'],
        [`end --subject ada --except ${digest('c')} --yes`, '1 session ended\n'],
        ['count', '2\n'],
        [
          'end --subject eve --yes --json',
          `{"id":"${fingerprint('d')}","subjectHash":"${digest('eve')}","reason":"admin"}\n{"ended":1}\n`,
        ],
        ['end --all --yes', '1 session ended\n'],
        ['count', '0\n'],
        ...(sweeps ? ([['sweep', '0 deleted\n']] as const) : []),
      ]
      for (const [parameters, stdout, secrets] of story) {
        assert.deepEqual(await ran(parameters, secrets), { code: 0, stdout, stderr: '' }, parameters)
      }
    })

    for (const client of clients) {
      test(`connects by ${client}, where the application has no other, and says when nobody answers`, async () => {
        const count = async (url: string) => {
          const printed: string[] = []
          const admin = { load: only(client), print: async (text: string) => void printed.push(text) }
          const parameters = ['sessions', 'count', '--store', url, ...(place.parameters ?? [])]
          const { code, stderr } = await command(parameters, surroundings({ admin }))
          return { code, stdout: printed.join(''), stderr }
        }
        await fill(place.store, { [client]: 'ada' })
        assert.deepEqual(await count(place.url), { code: 0, stdout: `${clients.indexOf(client) + 1}\n`, stderr: '' })
        const { code, stdout, stderr } = await count(
          place.url.replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${await freePort()}`),
        )
        assert.deepEqual([code, stdout], [1, ''])
        assert.match(stderr, /^koa-session: the store failed: [^\n]*ECONNREFUSED/)
      })
    }
  })
}
