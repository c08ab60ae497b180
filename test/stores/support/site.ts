/** Two applications on one store, each with a store object of its own, and visitors who ask both. */
import assert from 'node:assert/strict'
import type { TestContext as Test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import session, { type CreateSessionOptions, type Store } from 'koa-session'
import { type Agent, createAgent } from 'koa-session/testing'
import { createApp, type TestApp, type TestContext } from '../../support/koa.ts'
import { cookiesFrom } from '../../support/set-cookie.mjs'
import type { Meeting } from '../../support/story.ts'
import { SECRETS } from './contract.ts'

export { Meeting } from '../../support/story.ts'

/** Somebody with one set of cookies at both applications. */
export interface Person {
  readonly cookies: ReadonlyMap<string, string>
  /** Asks one of the applications, in turn. Fails where the answer is an error. */
  get(path: string): Promise<string>
  /** Another one who has the same cookies from now on. */
  copy(): Person
  stranger(): Person
}

export interface PageCall {
  readonly ctx: TestContext
  readonly store: Store
  readonly query: URLSearchParams
  readonly meeting: Meeting | undefined
}

export type SitePage = (call: PageCall) => unknown

/** Serves `pages` by an application for each store, until the test ends. Gives somebody without cookies. */
export async function openSite(
  t: Test,
  stores: readonly Store[],
  pages: Readonly<Record<string, SitePage>>,
  options: CreateSessionOptions = {},
  meeting?: Meeting,
): Promise<Person> {
  const errors: unknown[] = []
  const agents: Agent[] = []
  for (const store of stores) {
    const app: TestApp = createApp()
    app.keys = [...SECRETS]
    app.on('error', error => errors.push(error))
    // A machine that is busy is no store that is down.
    app.use(session({ storeTimeout: 60_000, ...options, store }, app))
    app.use(async ctx => {
      const query = new URLSearchParams(ctx.querystring)
      // Most handlers have read the session by the time that they wait for something.
      void ctx.session.user
      ctx.body = String((await pages[ctx.path]?.({ ctx, store, query, meeting })) ?? 'done')
    })
    const agent = await createAgent(app.callback())
    t.after(() => agent.close())
    agents.push(agent)
  }
  return personOf(agents, errors)
}

let turn = 0

function personOf(agents: readonly Agent[], errors: readonly unknown[], held: Iterable<[string, string]> = []): Person {
  const own = agents.map(agent => agent.stranger())
  const cookies = new Map(held)
  return {
    cookies,
    async get(path) {
      const agent = own[turn++ % own.length]?.stranger()
      assert.ok(agent)
      for (const [name, value] of cookies) agent.cookies.set(name, value)
      const { status, text, setCookie } = await agent.get(path)
      assert.equal(status, 200, `${path} answered ${status}: ${errors.map(String).join('; ')}`)
      // What the answer says of cookies, and nothing that other answers have said meanwhile.
      for (const name of cookiesFrom(setCookie).keys()) {
        const value = agent.cookies.get(name)
        if (value === undefined) cookies.delete(name)
        else cookies.set(name, value)
      }
      return text
    },
    copy: () => personOf(agents, errors, cookies),
    stranger: () => personOf(agents, errors),
  }
}

/** What requests wait for that name it in their query. */
export const gates = new Map<string, Promise<void>>()

/** Takes as long (ms) as the query says, or until its gate opens. */
export const waiting = ({ query }: PageCall) => gates.get(query.get('gate') ?? '') ?? sleep(Number(query.get('wait')))

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
