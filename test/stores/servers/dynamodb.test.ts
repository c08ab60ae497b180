/** Sessions in DynamoDB, for which dynalite stands: its conditions, its limits and its errors, on one machine. */
import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { type DynamoDB, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { Store } from 'koa-session'
import { type DynamodbClient, type DynamodbStoreOptions, dynamodbStore } from 'koa-session/dynamodb'
import { manualClock } from 'koa-session/testing'
import { startDynalite } from '../../servers/dynalite.ts'
import { dynamodbOn } from '../../servers/dynamodb-client.ts'
import { versionOfPackage } from '../../servers/found.ts'
import { row, suiteOn } from '../../servers/report.ts'
import type { Server } from '../../servers/server.ts'
import { digestOf, proveContract, type Register, SECRETS, UNORDERED } from '../support/contract.ts'
import { proveForgotten } from '../support/forgotten.ts'
import { proveParallel } from '../support/parallel.ts'
import { proveReseal } from '../support/reseal.ts'
import { proveReuse } from '../support/reuse.ts'
import { proveSame } from '../support/same.ts'

const HOUR = 3_600_000
const CALL = { ctx: undefined, rolling: false, changed: true }
const LIFETIME = { _maxAge: HOUR }
const sdk = `@aws-sdk/client-dynamodb ${versionOfPackage('@aws-sdk/client-dynamodb')}`

/** An item has 400 KB. */
const LIMITS = {
  'hostile values: a payload may be large': /400 KB/,
  'hostile values: a value may be large, and stays while others change': /400 KB/,
}

/** A suite with a server of its own, on which the table is set up. `clientOf`: each has connections of its own. */
function suite(claim: string, body: (test: Register, clientOf: (at?: number) => DynamoDB) => void): void {
  suiteOn('dynalite', claim, title => {
    let server: Server
    const clients: DynamoDB[] = []
    before(async () => {
      server = await startDynalite()
      for (const _ of [1, 2]) clients.push(dynamodbOn(server.url))
      await dynamodbStore(clients[0] ?? assert.fail()).setup()
    })
    after(async () => {
      for (const client of clients) client.destroy()
      await server.stop()
    })
    body(row({ store: 'dynamodb', client: sdk, server: title }).test, (at = 0) => clients[at] ?? assert.fail())
  })
}

/** The kinds of stores. A suite may take two minutes: of those that keep something else, the groups that may see it. */
const KINDS: ReadonlyArray<readonly [kind: string, options: DynamodbStoreOptions, groups?: RegExp]> = [
  ['a store', {}],
  ['a store that seals', { seal: SECRETS, prefix: 'sealed:' }, /^(patch|versions|subjects|corrupt|hostile values)/],
  ['a store that does not hash ids', { hashIds: false, prefix: '' }, /^(retire|subjects|corrupt|hostile ids)/],
]

for (const [kind, options, groups = /./] of KINDS) {
  suite(`${kind} in DynamoDB`, (test, clientOf) => {
    const clock = manualClock()
    proveContract((name, run) => groups.test(name) && test(name, run), {
      clock,
      limits: LIMITS,
      open: () => dynamodbStore(clientOf(), { now: clock.now, ...options }),
      capabilities: UNORDERED,
      corrupt: async id => {
        const pk = `${options.prefix ?? 'sess:'}${options.hashIds === false ? id : digestOf(id)}`
        await clientOf().updateItem({
          TableName: 'sessions',
          Key: { pk: { S: pk }, sk: { S: 's' } },
          UpdateExpression: 'SET l = :l',
          ConditionExpression: 'attribute_exists(pk)',
          ExpressionAttributeValues: { ':l': { S: '{' } },
        })
      },
    })
  })
}

suite('parallel requests in DynamoDB', (test, clientOf) => {
  proveSame(test, { open: (_, { now }) => dynamodbStore(clientOf(), { now }), runs: 6 })
  proveParallel(test, () => [0, 1].map(at => dynamodbStore(clientOf(at))))
})

suite('what is told of every store, and what is particular to DynamoDB', (test, clientOf) => {
  proveForgotten(test, () => ({
    store: dynamodbStore(clientOf(), { prefix: 'forgotten:' }),
    async dump() {
      const { Items = [] } = await clientOf().scan({ TableName: 'sessions' })
      return JSON.stringify(Items.filter(({ pk }) => pk?.S?.startsWith('forgotten:')))
    },
  }))

  test('two applications in one table, each with a prefix, have nothing of each other', async () => {
    const [shop, forum] = ['shop:', 'forum:'].map(prefix => dynamodbStore(clientOf(), { prefix }))
    const record = { members: { user: '"ada"' }, lifetime: LIFETIME, subject: digestOf('ada') }
    for (const store of [shop, forum]) await store?.create('a', record, HOUR, CALL)
    assert.equal(await shop?.destroyAll('ada'), 1)
    assert.equal(await shop?.read('a', CALL), undefined)
    assert.equal((await forum?.list('ada'))?.length, 1)
    assert.equal(await shop?.clear(), 0)
    assert.equal(await forum?.count(), 1)
  })

  test('a store seals nothing anew of one whose prefix goes on as its own', async () => {
    const outer = dynamodbStore(clientOf(), { prefix: 'outer:', seal: SECRETS })
    const inner = dynamodbStore(clientOf(), { prefix: 'outer:inner:' })
    await inner.create('a', { members: { user: '"ada"' }, lifetime: LIFETIME, subject: digestOf('ada') }, HOUR, CALL)
    assert.deepEqual([await outer.reseal(), await outer.clear()], [0, 0])
    assert.equal((await inner.list('ada')).length, 1)
  })

  let places = 0
  proveReseal(test, async () => {
    const prefix = `reseal${++places}:`
    return { store: (seal, more) => dynamodbStore(clientOf(), { prefix, seal, ...more }) }
  })
  for (const kind of [{}, { seal: SECRETS }]) {
    const open = (options = {}) => dynamodbStore(clientOf(), { ...kind, ...options }) as Required<Store>
    proveReuse(test, { open, hasClock: false })
  }

  test('a command that the client repeats, though it was done, is done once', async () => {
    const store = dynamodbStore(repeating(clientOf()))
    const record = { members: { n: '1' }, lifetime: LIFETIME, subject: digestOf('twice') }
    const patch = { set: { n: '2' }, unset: [], lifetime: LIFETIME, keepsEmpty: false }
    for (const id of ['twice', 'next']) assert.equal(await store.create(id, record, HOUR, CALL), true)
    assert.equal(await store.patch('twice', { ...patch, version: 0 }, HOUR, CALL), 'saved')
    assert.equal((await store.read('twice', CALL))?.version, 1)
    assert.equal(await store.patch('twice', patch, HOUR, CALL), 'saved')
    assert.equal(await store.touch('twice', LIFETIME, HOUR, CALL), true)
    assert.equal((await store.list('twice')).length, 2)
    const { version } = (await store.read('twice', CALL)) ?? {}
    assert.equal(await store.retire('twice', { version }, HOUR, CALL), 'saved')
    assert.equal(await store.retire('next', { successor: 'last' }, HOUR, CALL), 'saved')
    await store.create('emptied', record, HOUR, CALL)
    const emptying = { set: {}, unset: ['n'], lifetime: LIFETIME, keepsEmpty: false }
    assert.equal(await store.patch('emptied', { ...emptying, version: 0 }, HOUR, CALL), 'emptied')
    await store.create('ended', record, HOUR, CALL)
    await store.destroy('ended', CALL)
    assert.deepEqual(await store.list('twice'), [])
  })

  test('a patch that others follow at once is known to have been done', async () => {
    const other = dynamodbStore(clientOf(1))
    const patch = (n: number) => ({ set: { n: String(n) }, unset: [], lifetime: LIFETIME, keepsEmpty: false })
    const store = dynamodbStore(
      repeating(clientOf(), async () => {
        for (let n = 2; n < 6; n++) await other.patch('followed', patch(n), HOUR, CALL)
      }),
    )
    await other.create('followed', { members: {}, lifetime: LIFETIME }, HOUR, CALL)
    assert.equal(await store.patch('followed', { ...patch(1), version: 0 }, HOUR, CALL), 'saved')
    assert.equal((await store.read('followed', CALL))?.members.n, '5')
  })

  test('a session that is larger than an item is an error of its own, and what was there stays', async () => {
    const store = dynamodbStore(clientOf())
    const set = { text: JSON.stringify('a'.repeat(400 * 1024)) }
    const error = { code: 'ERR_SESSION_TOO_LARGE', message: /^dynamodbStore: a session takes more than the 400 KB/ }
    await store.create('large', { members: { n: '1' }, lifetime: LIFETIME }, HOUR, CALL)
    await assert.rejects(
      async () => store.patch('large', { set, unset: [], lifetime: LIFETIME, keepsEmpty: false }, HOUR, CALL),
      error,
    )
    await assert.rejects(async () => store.create('larger', { members: set, lifetime: LIFETIME }, HOUR, CALL), error)
    assert.deepEqual((await store.read('large', CALL))?.members, { n: '1' })
  })

  test('more keys than an expression holds are changed at once, beside other requests', async () => {
    const store = dynamodbStore(clientOf())
    const keys = (count: number, value: string) =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`key${n}`, value]))
    const patch = (set: Record<string, string>, unset: string[] = []) =>
      store.patch('many', { set, unset, lifetime: LIFETIME, keepsEmpty: false }, HOUR, CALL)
    await store.create('many', { members: { gone: '1', stays: '1' }, lifetime: LIFETIME }, HOUR, CALL)
    const others = Array.from({ length: 10 }, (_, n) => patch({ [`other${n}`]: '1' }))
    const verdicts = await Promise.all([patch(keys(500, '1'), ['gone']), ...others])
    assert.deepEqual(new Set(verdicts), new Set(['saved']))
    const members = (await store.read('many', CALL))?.members ?? {}
    assert.equal(Object.keys(members).length, 511)
    const stale = { set: keys(500, '2'), unset: [], lifetime: LIFETIME, keepsEmpty: false, version: 0 }
    assert.equal(await store.patch('many', stale, HOUR, CALL), 'conflict')
    assert.equal(await patch({}, Object.keys(members)), 'emptied')
  })

  test('the index of a subject lasts as long as a session that is extended', async () => {
    const clock = manualClock()
    const store = dynamodbStore(clientOf(), { now: clock.now })
    await store.create('kept', { members: {}, lifetime: LIFETIME, subject: digestOf('kept') }, HOUR, CALL)
    for (let hours = 1; hours < 8; hours++) {
      clock.advance(HOUR - 1)
      assert.equal(await store.touch('kept', LIFETIME, HOUR, CALL), true)
      const { Items = [] } = await clientOf().scan({ TableName: 'sessions' })
      const [entry] = Items.filter(({ sk }) => sk?.S === `.${digestOf('kept')}`)
      assert.ok(Number(entry?.expires?.N) * 1000 >= clock.now() + HOUR)
    }
    assert.equal((await store.list('kept')).length, 1)
  })

  test('a session that changes hands while its index is extended belongs to whom it was given', async () => {
    const other = dynamodbStore(clientOf(1))
    const subject = digestOf('new hands')
    await other.create('hands', { members: {}, lifetime: LIFETIME, subject: digestOf('hands') }, HOUR, CALL)
    let isGiven = false
    const putItem: DynamodbClient['putItem'] = async input => {
      const answer = await clientOf().putItem(input)
      const patch = { set: {}, unset: [], lifetime: LIFETIME, keepsEmpty: true, subject }
      if (!isGiven) await other.patch('hands', patch, HOUR, CALL)
      isGiven = true
      return answer
    }
    const store = dynamodbStore(Object.create(clientOf(), { putItem: { value: putItem } }))
    assert.equal(await store.touch('hands', LIFETIME, 3 * HOUR, CALL), true)
    assert.deepEqual([isGiven, (await other.read('hands', CALL))?.subject], [true, subject])
    assert.equal((await other.list('new hands')).length, 1)
  })

  test('an item has no id and no name of a user, and says when it may be deleted', async () => {
    const clock = manualClock()
    const store = dynamodbStore(clientOf(), { now: clock.now, prefix: 'shown:' })
    await store.create('id', { members: { 'a b': '1' }, lifetime: LIFETIME, subject: digestOf('ada') }, 1500, CALL)
    const { Items = [] } = await clientOf().scan({ TableName: 'sessions' })
    const items = Items.filter(({ pk }) => pk?.S?.startsWith('shown:'))
    const [session, entry] = items.sort((one, other) => Number(other.sk?.S === 's') - Number(one.sk?.S === 's'))
    const { i, k, ...shown } = session ?? {}
    assert.deepEqual(shown, {
      pk: { S: `shown:${digestOf('id')}` },
      sk: { S: 's' },
      m: { M: { '.a~0020b': { S: '1' } } },
      l: { S: '[null,3600000,null,null,null]' },
      v: { N: '0' },
      t: { M: {} },
      s: { S: digestOf('ada') },
      ...Object.fromEntries(['c', 'z'].map(name => [name, { N: '1700000000000' }])),
      e: { N: '1700000001500' },
      x: { N: '1700000003000' },
      expires: { N: '1700000002' },
    })
    assert.ok(i?.S && k?.S)
    const key = { pk: { S: `shown:@${digestOf('ada')}` }, sk: { S: `.${digestOf('id')}` } }
    assert.deepEqual(entry, { ...key, t: i, expires: { N: '1700000003' } })
  })

  test('setup() makes the table and its time to live, and finds what it made', async () => {
    const asked: unknown[] = []
    const client = withTtl(clientOf(), asked)
    const made = await Promise.allSettled([1, 2, 3].map(() => dynamodbStore(client, { table: 'made' }).setup()))
    assert.deepEqual(
      made.map(({ status }) => status),
      ['fulfilled', 'fulfilled', 'fulfilled'],
    )
    assert.deepEqual(asked[0], {
      TableName: 'made',
      TimeToLiveSpecification: { Enabled: true, AttributeName: 'expires' },
    })
    asked.length = 0
    for (const TimeToLiveStatus of ['ENABLED', 'ENABLING']) {
      const on = { TimeToLiveDescription: { TimeToLiveStatus, AttributeName: 'expires' } }
      // A table that is being changed can be used, and is not waited for.
      const describeTable: DynamodbClient['describeTable'] = async input => ({
        Table: { ...(await clientOf().describeTable(input)).Table, TableStatus: 'UPDATING' },
      })
      const client = Object.assign(withTtl(clientOf(), asked, on), { describeTable })
      await dynamodbStore(client, { table: 'made' }).setup()
    }
    assert.deepEqual(asked, [])
  })

  test('setup() refuses a table that differs, and says how', async () => {
    await clientOf().createTable({
      TableName: 'others',
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'N' }],
    })
    const key =
      'dynamodbStore: the table others has the key id HASH N, expected pk HASH S, sk RANGE S: give another name as the option table'
    await assert.rejects(dynamodbStore(clientOf(), { table: 'others' }).setup(), {
      code: 'ERR_SESSION_OPTION',
      message: key,
    })
    const other = { TimeToLiveDescription: { TimeToLiveStatus: 'ENABLED', AttributeName: 'ttl' } }
    const message =
      'dynamodbStore: the table sessions has the time to live ttl, expected expires: use a table of its own'
    await assert.rejects(dynamodbStore(withTtl(clientOf(), [], other)).setup(), { code: 'ERR_SESSION_OPTION', message })
  })

  test('a table that is not there is an error', async () => {
    await assert.rejects(async () => dynamodbStore(clientOf(), { table: 'missing' }).read('id', CALL), {
      name: 'ResourceNotFoundException',
    })
  })

  test('what is no such client, and options that are not what they have to be, are refused at start', () => {
    const refused: ReadonlyArray<readonly [client: unknown, message: RegExp, options?: unknown]> = [
      [
        new DynamoDBClient({ region: 'eu-central-1' }),
        /^dynamodbStore: client was of type object, expected a DynamoDB of/,
      ],
      [undefined, /^dynamodbStore: client was of type undefined, expected a DynamoDB of/],
      [clientOf(), /^dynamodbStore: table was "", expected the name of a table/, { table: '' }],
      [clientOf(), /^dynamodbStore: prefix was "a b", expected at most 100 of/, { prefix: 'a b' }],
      [clientOf(), /^dynamodbStore: now was 5, expected a function/, { now: 5 }],
    ]
    for (const [client, message, options] of refused) {
      assert.throws(() => dynamodbStore(client as never, options as never), { code: 'ERR_SESSION_OPTION', message })
    }
  })
})

/** A client that says what the time to live is, and what it was to become. */
function withTtl(client: DynamoDB, asked: unknown[], found: object = {}): DynamodbClient {
  return Object.create(client, {
    describeTimeToLive: { value: async () => found },
    updateTimeToLive: {
      value: async (input: unknown) => {
        asked.push(input)
        return {}
      },
    },
  })
}

/** A client that lost each first answer of a write, and asks again, after `meanwhile`. */
function repeating(client: DynamoDB, meanwhile = async () => {}): DynamodbClient {
  const commands = client as unknown as Record<string, (input: unknown) => Promise<unknown>>
  const twice = (name: string) => async (input: unknown) => {
    const isDone = await commands[name]?.(input).then(
      () => true,
      () => false,
    )
    if (isDone) await meanwhile()
    return commands[name]?.(input)
  }
  const names = ['putItem', 'updateItem', 'deleteItem']
  return Object.create(client, Object.fromEntries(names.map(name => [name, { value: twice(name) }])))
}
