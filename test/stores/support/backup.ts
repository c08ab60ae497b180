/** What a backup that is restored has done to sessions, and what ends those that are back: told of each database. */
import assert from 'node:assert/strict'
import type { TestContext as Test } from 'node:test'
import type { SqlStore } from 'koa-session/sqlite'
import { manualClock } from 'koa-session/testing'
import type { Register } from './contract.ts'
import { openSite, type SitePage } from './site.ts'

/** A database of one test. */
export interface Database {
  /** A store on a connection of its own, which has been set up. */
  open(now: () => number): Promise<SqlStore>
  /** Closes the connections, so that the database may be restored. */
  close(): Promise<unknown>
  backup(): Promise<unknown> | unknown
  /** Puts in the place of what is there what was there at the backup. */
  restore(): Promise<unknown> | unknown
}

const MINUTE = 60_000
const PAGES: Readonly<Record<string, SitePage>> = {
  async '/in'({ ctx, query }) {
    ctx.session.user = query.get('user')
    await ctx.session.regenerate({ fresh: true, keep: ['user'] })
  },
  '/me': ({ ctx }) => ctx.session.user ?? 'nobody',
  '/out'({ ctx }) {
    ctx.session = null
  },
}
const OPTIONS = { subject: ({ user }: { user?: string }) => user }

/** Registers the tests. */
export function proveBackup(register: Register, start: (t: Test) => Promise<Database>): void {
  /** Ada signs out and Bob's sessions are ended, after a backup, which is then restored. */
  async function restored(t: Test) {
    const database = await start(t)
    const clock = manualClock(Date.now())
    const siteOn = async (options = {}) => {
      const store = await database.open(clock.now)
      return { store, person: await openSite(t, [store], PAGES, { ...OPTIONS, now: clock.now, ...options }) }
    }
    const { store, person: ada } = await siteOn()
    const bob = ada.stranger()
    await ada.get('/in?user=ada')
    await bob.get('/in?user=bob')
    const cookies = [ada, bob].map(person => new Map(person.cookies))
    clock.advance(MINUTE)
    await database.backup()
    clock.advance(MINUTE)
    await ada.get('/out')
    assert.equal(await store.destroyAll('bob'), 1)
    await database.close()
    await database.restore()
    clock.advance(MINUTE)
    /** What those see who still have the cookies of then. */
    const seen = async ({ person }: Awaited<ReturnType<typeof siteOn>>) => {
      const back = cookies.map(held => {
        const one = person.stranger()
        for (const cookie of held) (one.cookies as Map<string, string>).set(...cookie)
        return one
      })
      return Promise.all(back.map(one => one.get('/me')))
    }
    return { clock, siteOn, seen }
  }

  register('sessions that ended after a backup are back when it was restored, until clear() ends them', async t => {
    const { siteOn, seen } = await restored(t)
    const site = await siteOn()
    assert.deepEqual(await seen(site), ['ada', 'bob'])
    assert.equal(await site.store.clear(), 2)
    assert.deepEqual(await seen(site), ['nobody', 'nobody'])
  })

  register('notBefore, set to the instant of the restore, refuses them, and nobody who signs in since', async t => {
    const { clock, siteOn, seen } = await restored(t)
    const site = await siteOn({ notBefore: clock.now() })
    assert.deepEqual(await seen(site), ['nobody', 'nobody'])
    await site.person.get('/in?user=ada')
    assert.equal(await site.person.get('/me'), 'ada')
    assert.equal(await site.store.count(), 1, 'those that were refused were destroyed')
  })
}
