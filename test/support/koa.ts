/** The Koa under test: the newest, or with KOA=2 the one before; and both packages that a story can be told with. */

import type { EventEmitter } from 'node:events'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/** As much of Koa as the tests use; a context is untyped, because stories run with the sessions of 7.x too. */
export interface TestApp extends EventEmitter {
  keys: unknown
  proxy: boolean
  silent: boolean
  readonly context: Record<string, unknown>
  readonly middleware: unknown[]
  use(middleware: (ctx: TestContext, next: () => Promise<void>) => unknown): TestApp
  callback(): RequestListener
  createContext(req: IncomingMessage, res?: ServerResponse): TestContext
}

// biome-ignore lint/suspicious/noExplicitAny: the context of two majors of Koa, with sessions of two packages
export type TestContext = any

const Koa: new () => TestApp = require(process.env.KOA === '2' ? 'koa2' : 'koa')

/** A Koa application that is silent about errors, with two secrets. */
export function createApp(): TestApp {
  const app = new Koa()
  app.keys = ['newest secret', 'older secret']
  app.silent = true
  return app
}

/** Whether an error goes back to `cause`: its cause is a copy, in 8. */
export function isOf(cause: Error | undefined, error: unknown): boolean {
  const { name, message, stack } = Object(origin(error))
  return name === cause?.name && message === cause?.message && stack === cause?.stack
}

/** What an error goes back to: the store's own, or a copy of it, where that is its cause. */
export function origin(error: unknown): unknown {
  const { cause } = Object(error)
  return cause === undefined ? error : origin(cause)
}
