/** Which clock says how long ago an id was retired, and what an application can do when one is used again. */
import assert from 'node:assert/strict'
import type { Store } from 'koa-session'
import { manualClock } from 'koa-session/testing'
import type { Visitor } from '../../support/agent.ts'
import type { TestContext } from '../../support/koa.ts'
import { HOUR, KEY, serve, told } from '../../support/story.ts'
import type { Register } from './contract.ts'

const AHEAD = 12_000
const CALL = { ctx: undefined, rolling: false, changed: true }
const RECORD = { members: { user: '"ada"' }, lifetime: { _maxAge: HOUR } }
const subject = ({ user }: Record<string, unknown>) => user as string | undefined

export interface Reuse {
  /** A store with all methods. */
  open(options?: { readonly now: () => number }): Required<Store>
  /** Whether the server has a clock, which is not that of this process. */
  readonly hasClock: boolean
}

export function proveReuse(register: Register, { open, hasClock }: Reuse): void {
  register('a clock of the application that is 12 s ahead makes no parallel request a reuse', async t => {
    const { visitor, events } = await serve(t, () => ({ store: open(), subject, now: () => Date.now() + AHEAD }))
    await visitor.get('/cart')
    const parallel = visitor.copy()
    await visitor.get('/in')
    assert.equal((await parallel.get('/')).text, 'nobody')
    await told()
    const reasons = events.map(([event, { reason }]) => `${event} ${reason}`)
    assert.deepEqual(reasons, ['session:missed retired', 'session:refused retired'])
  })

  if (hasClock) {
    register('how long ago an id was retired is told by the clock of the server', async t => {
      const id = `retired-${Math.random()}`
      const store = open()
      await store.create(id, RECORD, HOUR, CALL)
      await store.retire(id, {}, HOUR, CALL)
      const later = () => performance.timeOrigin + performance.now() + AHEAD
      t.mock.method(Date, 'now', later)
      const other = open()
      const retiredFor = (await other.read(id, CALL))?.retiredFor ?? Number.NaN
      assert.ok(retiredFor > -5000 && retiredFor < 5000, `${retiredFor} ms`)
      const payload = (await other.get(id, HOUR, CALL)) as Record<string, number>
      const age = later() - (payload._retired ?? Number.NaN)
      assert.ok(age > -5000 && age < 5000, `${age} ms by get(), which is compared with the clock of the process`)
      await other.create(`${id} 2`, RECORD, HOUR, CALL)
      await other.retire(`${id} 2`, {}, HOUR, CALL)
      const own = (await other.read(`${id} 2`, CALL))?.retiredFor ?? Number.NaN
      assert.ok(own > -5000 && own < 5000, `${own} ms where the process that retired it is ahead`)
    })
  }

  register('an application ends a session by what session:reuse says, by the clock of the store', async t => {
    const { now, advance } = manualClock(Date.now())
    const store = open({ now })
    const { visitor, app, events } = await serve(t, () => ({ store, subject, now: Date.now }))
    let count: Promise<number> | undefined
    app.on('session:reuse', ({ subjectHash, handle }) => {
      count = Promise.resolve(store.destroyAll({ subjectHash }, { only: handle }))
    })
    await visitor.get('/in')
    const thief = visitor.copy()
    await visitor.get('/in')
    const ids = [thief, visitor].map(({ jar }) => String(jar.get(KEY)))
    const ask = async (who: Visitor) => {
      const { text } = await who.get('/')
      await told()
      return text
    }
    advance(9_999)
    assert.deepEqual([await ask(thief), count], ['nobody', undefined])
    advance(1)
    assert.deepEqual([await ask(visitor), await ask(thief)], ['ada', 'nobody'])
    assert.equal(await count, 1)
    assert.equal(await ask(visitor), 'nobody', 'the session that took its place was ended')
    const said = JSON.stringify(
      events.filter(([event]) => event === 'session:reuse').map(([, { ctx: _, ...rest }]) => rest),
    )
    for (const secret of ids) assert.ok(!said.includes(secret), 'no id is told')
  })

  for (const [title, options] of Object.entries({ '': { subject }, ', without subject': {} })) {
    register(
      `onReuse: the session that took the place of an id ends, under the id that it has by now${title}`,
      async t => {
        const { now, advance } = manualClock(Date.now())
        const store = open({ now })
        const again = { '/again': ({ session }: TestContext) => session.regenerate() }
        const { visitor, app, codes } = await serve(
          t,
          () => ({ store, onReuse: 'end', now: Date.now, ...options }),
          again,
        )
        const ended: unknown[] = []
        app.on('session:ended', ({ reason }) => ended.push(reason))
        await visitor.get('/in')
        const thief = visitor.copy()
        await visitor.get('/again')
        await visitor.get('/again')
        const users = async () => [(await thief.get('/')).text, (await visitor.get('/')).text]
        advance(9_999)
        assert.deepEqual(await users(), ['nobody', 'ada'])
        advance(1)
        assert.deepEqual(await users(), ['nobody', 'nobody'])
        await told()
        assert.deepEqual([ended, codes()], [['reuse'], []])
      },
    )
  }
}
