import Koa from 'koa'
import session from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { createAgent } from 'koa-session/testing'
import { expect, test } from 'vitest'
import { told } from './told.cjs'

test('counts', async () => {
  expect(await told({ Koa, session, memoryStore })).toBe('counts 1 2 3')
  expect(typeof createAgent).toBe('function')
})
