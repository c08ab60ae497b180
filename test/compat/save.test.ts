/** When a session is saved, beside the rows of the ledger. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { isOf } from '../support/koa.ts'
import { ask, cookieNames, decoded, MapStore, ONE_DAY, type Routes, same, serve, withBoth } from './both.ts'

const SAVE_EMPTY: Array<[what: string, handler: Routes[string], maxAge: number]> = [
  ['save()', ctx => ctx.session.save(), ONE_DAY],
  [
    'setting maxAge',
    ctx => {
      ctx.session.maxAge = 5000
    },
    5000,
  ],
  [
    'ctx.session = { maxAge: 100 }',
    ctx => {
      ctx.session = { maxAge: 100 }
    },
    100,
  ],
]

for (const [what, handler, maxAge] of SAVE_EMPTY) {
  test(`also kept: ${what} saves a session that is empty`, async t => {
    const told = await withBoth(async session => {
      const store = new MapStore()
      const inCookie = await serve(t, app => session({ signed: false }, app), { '/': handler })
      const inStore = await serve(t, app => session({ store }, app), { '/': handler })
      await inCookie.visitor.get()
      await inStore.visitor.get()
      return [decoded(inCookie.visitor.jar.get('koa.sess')), ...store.payloads].map(({ _expire, ...others }) => others)
    })
    assert.deepEqual(told, same([{ _maxAge: maxAge }, { _maxAge: maxAge }]))
  })
}

test('also kept: reading an empty session saves nothing', async t => {
  const told = await withBoth(async session => {
    const store = new MapStore()
    const { visitor } = await serve(t, app => session({ store }, app), { '/': ctx => ctx.session })
    return [(await visitor.get()).cookies, store.methods]
  })
  assert.deepEqual(told, same([[], []]))
})

for (const call of ['save', 'regenerate']) {
  test(`also kept: ${call}(cb) calls back when it is done, without an error`, async t => {
    const told = await withBoth(async session => {
      const store = new MapStore()
      const { visitor } = await serve(t, app => session({ store }, app), {
        '/': async ctx => {
          ctx.session.user = 'ann'
          let returned: unknown
          const parameters = await new Promise<unknown[]>(resolve => {
            returned = ctx.session[call]((...parameters: unknown[]) => resolve(parameters))
          })
          return [returned ?? 'nothing', parameters, store.payloads[0]?.user]
        },
      })
      return ask(visitor, '/')
    })
    assert.deepEqual(told, same(['nothing', [], 'ann']))
  })

  test(`also kept: ${call}(cb) calls back with the error`, async t => {
    const told = await withBoth(async session => {
      const store = new MapStore()
      const { visitor } = await serve(t, app => session({ store }, app), {
        '/': async ctx => {
          ctx.session.user = 'ann'
          store.outage = new Error('the store is down')
          const error = await new Promise(resolve => ctx.session[call](resolve))
          const isIt = isOf(store.outage, error)
          store.outage = undefined
          return isIt
        },
      })
      return ask(visitor, '/')
    })
    assert.equal(told['8'], true)
    // Its regenerate() destroys first, and so also with an id that was never stored.
    assert.equal(told['7.0.2'], true)
  })
}

test('also kept: with autoCommit: false nothing is committed but by manuallyCommit()', async t => {
  const told = await withBoth(async session => {
    const { visitor } = await serve(t, app => session({ autoCommit: false }, app), {
      '/forgotten': ctx => {
        ctx.session.user = 'ann'
      },
      '/committed': async ctx => {
        ctx.session.user = 'ann'
        await ctx.session.manuallyCommit()
      },
      '/untouched': ctx => ctx.session.manuallyCommit(),
    })
    const sent = []
    for (const path of ['/untouched', '/forgotten', '/committed']) {
      sent.push(cookieNames((await visitor.get(path)).cookies))
    }
    return sent
  })
  assert.deepEqual(told, same([[], [], ['koa.sess', 'koa.sess.sig']]))
})
