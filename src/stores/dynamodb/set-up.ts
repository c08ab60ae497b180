import { setTimeout as wait } from 'node:timers/promises'
import { SessionError } from '../../errors.ts'
import { type DynamodbClient, isCalled, type TableFound } from './client.ts'

/** How often, and how many ms apart, a table that was just made is asked whether it is there. */
const TRIES = 240
const PAUSE = 500

const KEY = 'pk HASH S, sk RANGE S'
const TTL = 'expires'

/** Makes what is missing of the table. Rejects with `ERR_SESSION_OPTION` where it differs. */
export async function setUp(client: DynamodbClient, table: string): Promise<void> {
  const found = (await describe(client, table)) ?? (await create(client, table))
  const key = keyIn(found)
  if (key !== KEY) throw refusal(table, `has the key ${key}, expected ${KEY}: give another name as the option table`)
  await active(client, table, found)
  const { TimeToLiveDescription: ttl = {} } = await client.describeTimeToLive({ TableName: table })
  const isOn = ttl.TimeToLiveStatus === 'ENABLED' || ttl.TimeToLiveStatus === 'ENABLING'
  if (isOn && ttl.AttributeName === TTL) return
  if (isOn) throw refusal(table, `has the time to live ${ttl.AttributeName}, expected ${TTL}: use a table of its own`)
  await client.updateTimeToLive({
    TableName: table,
    TimeToLiveSpecification: { Enabled: true, AttributeName: TTL },
  })
}

async function describe(client: DynamodbClient, table: string): Promise<TableFound | undefined> {
  try {
    return (await client.describeTable({ TableName: table })).Table
  } catch (error) {
    if (isCalled(error, 'ResourceNotFoundException')) return undefined
    throw error
  }
}

async function create(client: DynamodbClient, table: string): Promise<TableFound> {
  try {
    await client.createTable({
      TableName: table,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
      ],
    })
  } catch (error) {
    // Another process was first.
    if (!isCalled(error, 'ResourceInUseException')) throw error
  }
  return active(client, table, undefined)
}

async function active(client: DynamodbClient, table: string, known: TableFound | undefined): Promise<TableFound> {
  let found = known
  for (let tries = 0; tries < TRIES; tries++) {
    if (found?.TableStatus === 'ACTIVE' || found?.TableStatus === 'UPDATING') return found
    if (tries > 0) await wait(PAUSE)
    found = await describe(client, table)
  }
  throw new SessionError(
    'ERR_SESSION_STORE',
    `dynamodbStore: the table ${table} is not active: look at it in the console`,
  )
}

function keyIn({ KeySchema = [], AttributeDefinitions = [] }: TableFound): string {
  const typeOf = (name: string | undefined) =>
    AttributeDefinitions.find(({ AttributeName }) => AttributeName === name)?.AttributeType
  return KeySchema.map(({ AttributeName: name, KeyType }) => `${name} ${KeyType} ${typeOf(name)}`).join(', ')
}

function refusal(table: string, what: string): SessionError {
  return new SessionError('ERR_SESSION_OPTION', `dynamodbStore: the table ${table} ${what}`)
}
