/** What is used of the client, and what its errors say. */

import { SessionError } from '../../errors.ts'

/** An attribute as DynamoDB has it: a text, a number, a map. */
export type Attribute = { S: string } | { N: string } | { M: Record<string, Attribute> }
export type Item = Record<string, Attribute>

/** As it is answered: the application, or another one, may have put something else there. */
export type Found = Readonly<Record<string, unknown>>

export interface Condition {
  ConditionExpression?: string
  ExpressionAttributeNames?: Record<string, string>
  ExpressionAttributeValues?: Item
}

interface Search {
  TableName: string
  ConsistentRead: true
  ExpressionAttributeValues: Item
  ExclusiveStartKey?: Item
}

interface Answered {
  readonly Attributes?: Found | undefined
}

interface Page {
  readonly Items?: readonly Found[] | undefined
  readonly LastEvaluatedKey?: Found | undefined
}

/** What is used of `DynamoDB` of @aws-sdk/client-dynamodb, which is its client with a method for each command. */
export interface DynamodbClient {
  getItem(input: { TableName: string; Key: Item; ConsistentRead: true }): Promise<{ readonly Item?: Found | undefined }>
  putItem(input: Condition & { TableName: string; Item: Item }): Promise<unknown>
  updateItem(
    input: Condition & { TableName: string; Key: Item; UpdateExpression: string; ReturnValues: 'ALL_OLD' | 'NONE' },
  ): Promise<Answered>
  deleteItem(input: Condition & { TableName: string; Key: Item; ReturnValues: 'ALL_OLD' | 'NONE' }): Promise<Answered>
  query(input: Search & { KeyConditionExpression: string }): Promise<Page>
  scan(input: Search & { FilterExpression: string; Limit: number }): Promise<Page>
  describeTable(input: { TableName: string }): Promise<{ readonly Table?: TableFound | undefined }>
  createTable(input: TableWanted): Promise<unknown>
  describeTimeToLive(input: { TableName: string }): Promise<{ readonly TimeToLiveDescription?: TtlFound | undefined }>
  updateTimeToLive(input: {
    TableName: string
    TimeToLiveSpecification: { Enabled: true; AttributeName: string }
  }): Promise<unknown>
}

export interface TableFound {
  readonly TableStatus?: string | undefined
  readonly KeySchema?:
    | ReadonlyArray<{
        readonly AttributeName?: string | undefined
        readonly KeyType?: string | undefined
      }>
    | undefined
  readonly AttributeDefinitions?:
    | ReadonlyArray<{
        readonly AttributeName?: string | undefined
        readonly AttributeType?: string | undefined
      }>
    | undefined
}

export interface TtlFound {
  readonly TimeToLiveStatus?: string | undefined
  readonly AttributeName?: string | undefined
}

export interface TableWanted {
  TableName: string
  BillingMode: 'PAY_PER_REQUEST'
  KeySchema: Array<{ AttributeName: string; KeyType: 'HASH' | 'RANGE' }>
  AttributeDefinitions: Array<{ AttributeName: string; AttributeType: 'S' }>
}

const METHODS = ['getItem', 'putItem', 'updateItem', 'deleteItem', 'query', 'scan'] as const

export function isClient(client: unknown): client is DynamodbClient {
  const methods: Partial<Record<string, unknown>> = Object(client)
  return METHODS.every(name => typeof methods[name] === 'function')
}

/** What is asked, or nothing where the item is not as the condition wants it. Rejects with `ERR_SESSION_TOO_LARGE`. */
export async function unlessRefused<Answer>(asked: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await asked
  } catch (error) {
    if (isCalled(error, 'ConditionalCheckFailedException')) return undefined
    if (!(isCalled(error, 'ValidationException') && /item size/i.test(String(Object(error).message)))) throw error
    const what = 'a session takes more than the 400 KB that an item of DynamoDB has'
    throw new SessionError('ERR_SESSION_TOO_LARGE', `dynamodbStore: ${what}: keep less in it`, { cause: error })
  }
}

export function isCalled(error: unknown, name: string): boolean {
  return Object(error).name === name
}
