const Koa = require('koa')
const session = require('koa-session')
const { memoryStore } = require('koa-session/memory')
const { createAgent } = require('koa-session/testing')
const { told } = require('./told.cjs')

/* global test, expect */
test('counts', async () => {
  expect(await told({ Koa: Koa.default ?? Koa, session, memoryStore })).toBe('counts 1 2 3')
  expect(session.default).toBe(session)
  expect(typeof createAgent).toBe('function')
})
