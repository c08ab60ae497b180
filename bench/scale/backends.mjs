/*
 * The databases, each with a store on it: how it is started and how durable it is, how it is filled, and what it takes on
 * disk or in memory. Servers are those of the tests, with the settings of a server that keeps what it has acknowledged.
 */

import { memory, sqlite } from './in-process.mjs'
import { redis } from './redis.mjs'
import { mariadb, postgres } from './sql-servers.mjs'
import { dynamodb, mongodb } from './stand-ins.mjs'

export const backends = { sqlite, postgres, mysql: mariadb, redis, mongodb, dynamodb, memory }
