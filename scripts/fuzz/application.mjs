/*
 * An application with a session, asked in process: a network would take most of the time, and its parser would keep
 * the longest headers away. What is asked is the build, as users have it.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import Koa from 'koa'
import session from 'koa-session'

export const KEY = 'koa.sess'
export const NOW = 1_700_000_000_000
export const SECRETS = [0, 1].map(() => randomBytes(32).toString('base64url'))

const socket = new Socket()

/** An application whose handler is `handle`, and a function that sends it one request. */
export function serve(options, handle, keys = SECRETS) {
  const app = new Koa()
  app.keys = keys
  app.silent = true
  let errors = []
  app.on('error', error => errors.push(error))
  app.use(session(options, app))
  app.use(async ctx => {
    ctx.body = 'ok'
    await handle(ctx)
  })
  const callback = app.callback()
  return async cookie => {
    errors = []
    const request = new IncomingMessage(socket)
    const headers = { host: 'a.b', ...(cookie !== undefined && { cookie }) }
    Object.assign(request, { method: 'GET', url: '/', headers })
    const response = new ServerResponse(request)
    await callback(request, response)
    const lines = [response.getHeader('set-cookie') ?? []].flat().map(String)
    return { status: response.statusCode, lines, errors }
  }
}

export const { prototype: sessionPrototype } = await sessionClass()

async function sessionClass() {
  let found
  await serve({}, ctx => {
    found = ctx.session.constructor
  })()
  return found
}

const descriptors = prototype =>
  Reflect.ownKeys(prototype).flatMap(name => {
    const { value, get, set } = Object.getOwnPropertyDescriptor(prototype, name)
    return [name, value, get, set]
  })
const before = [Object.prototype, sessionPrototype].map(prototype => [prototype, descriptors(prototype)])

/** That nobody has put anything on the prototypes, or taken it away. */
export function assertUntouched() {
  for (const [prototype, list] of before) {
    const now = descriptors(prototype)
    const isSame = now.length === list.length && now.every((part, at) => Object.is(part, list[at]))
    if (!isSame) assert.deepEqual(now, list, 'a prototype was touched')
  }
}
