// The client of DynamoDB, by the types of the SDK.

import type { DynamoDB, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import Koa from 'koa'
import session, { type Store } from 'koa-session'
import { type DynamodbStore, type DynamodbStoreOptions, dynamodbStore } from 'koa-session/dynamodb'

const app = new Koa()
declare const client: DynamoDB
declare const other: DynamoDBClient

const options: DynamodbStoreOptions = { table: 'sessions', prefix: 'shop:', hashIds: true, seal: ['secret'] }
const inDynamodb: DynamodbStore = dynamodbStore(client, options)
const store: Store = inDynamodb
session({ store }, app)
const isSetUp: Promise<void> = inDynamodb.setup()
isSetUp.then(() => inDynamodb.reseal())

// @ts-expect-error: without a method for each command
dynamodbStore(other)
// @ts-expect-error: a text
dynamodbStore(client, { table: 1 })
