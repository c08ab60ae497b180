/* Ends: a lifetime is over when the server says so, and what was ended stays so, whatever the client has kept. */

import assert from 'node:assert/strict'
import test from 'node:test'
import type { CreateSessionOptions } from 'koa-session'
import type { MemoryStore } from 'koa-session/memory'
import type { TestContext } from '../support/koa.ts'
import { Gate } from '../support/stores.ts'
import { bytesOf, HOUR, KEY, KEYED_MODES, MODES, type Pages, STORE_MODES, serve, told } from '../support/story.ts'

const MINUTE = 60_000

for (const [mode, options] of Object.entries(MODES)) {
  test(`expiry is enforced by the server (CVE-2024-35220, CVE-2024-31999, CVE-2018-1000814): ${mode}`, async t => {
    const { visitor, clock, reasons } = await serve(t, options)
    await visitor.get('/in')
    const kept = visitor.copy()
    clock.advance(HOUR)
    assert.equal((await kept.get('/')).text, 'ada')
    clock.advance(1)
    const { status, text } = await kept.get('/')
    assert.deepEqual({ status, text }, { status: 200, text: 'nobody' })
    await told()
    assert.deepEqual(reasons(), ['expired'])
  })

  test(`idle expiry is extended by use alone: ${mode}: a copy that was kept from before ends where it did`, async t => {
    const { visitor, clock } = await serve(t, options, {}, { options: { rolling: true } })
    await visitor.get('/in')
    const kept = visitor.copy()
    for (let times = 0; times < 3; times++) {
      clock.advance(40 * MINUTE)
      assert.equal((await visitor.get('/')).text, 'ada')
    }
    // A store has one lifetime for all who bring the id; a cookie has its own.
    assert.equal((await kept.get('/')).text, mode.startsWith('store') ? 'ada' : 'nobody')
    clock.advance(HOUR + 1)
    assert.equal((await visitor.get('/')).text, 'nobody')
  })

  for (const maxAge of [HOUR, 'session'] as const) {
    for (const extending of [{ rolling: true }, { renew: true }, { renew: 50 * MINUTE }]) {
      const how = `${Object.entries(extending)} with maxAge ${maxAge}`
      test(`absolute expiry holds across ${how}, and regenerate: ${mode}`, async t => {
        const limits: CreateSessionOptions = { maxAge, ttl: 4 * HOUR, absoluteTimeout: 2 * HOUR, ...extending }
        const { visitor, clock, reasons } = await serve(t, options, {}, { options: limits })
        await visitor.get('/in')
        for (let minutes = 40; minutes < 120; minutes += 20) {
          clock.advance(minutes === 40 ? 40 * MINUTE : 20 * MINUTE)
          assert.equal((await visitor.get('/')).text, 'ada')
          await visitor.get('/in')
        }
        const kept = visitor.copy()
        clock.advance(20 * MINUTE - 1)
        assert.equal((await visitor.get('/')).text, 'ada')
        clock.advance(1)
        assert.equal((await visitor.get('/')).text, 'nobody')
        assert.equal((await kept.get('/')).text, 'nobody')
        await told()
        assert.deepEqual(reasons()[0], 'absolute')
      })
    }
  }

  test(`a lifetime is inside what is authenticated: ${mode}: nothing of it is told by the cookie’s attributes`, async t => {
    const { visitor, clock } = await serve(t, options)
    const { cookies } = await visitor.get('/in')
    assert.match(cookies[0] ?? '', /expires=/)
    const text = bytesOf(visitor.jar.get(KEY)).toString()
    assert.equal(text.includes('_expire'), mode === 'signed cookie')
    // What a client makes of the attribute is its own affair: a jar keeps the cookie for ever.
    clock.advance(400 * 24 * HOUR)
    assert.equal((await visitor.get('/')).text, 'nobody')
  })
}

const SLOW: Readonly<Record<string, (ctx: TestContext) => unknown>> = {
  'changes it': ctx => {
    ctx.session.slow = 1
  },
  'saves it': ctx => ctx.session.save(),
  'gives it another maxAge': ctx => {
    ctx.session.maxAge = 2 * HOUR
  },
  'replaces it': ctx => {
    ctx.session = { user: 'ada', again: true }
  },
  'only reads it': ctx => ctx.session.user,
}

for (const [mode, options] of Object.entries(KEYED_MODES)) {
  for (const [what, change] of Object.entries(SLOW)) {
    for (const rolling of [false, true]) {
      const title = `a destroyed session is never re-created (CVE-2025-46336, CVE-2025-4643): ${mode}`
      test(`${title}: by a slow request that ${what}${rolling ? ', with rolling' : ''}`, async t => {
        const gate = new Gate()
        const slow = async (ctx: TestContext) => {
          assert.equal(ctx.session.user, 'ada')
          await gate.pass()
          await change(ctx)
        }
        const { visitor, options: made, errors } = await serve(t, options, { '/slow': slow }, { options: { rolling } })
        await visitor.get('/in')
        const kept = visitor.copy()
        const answer = kept.get('/slow')
        await gate.arrived
        await visitor.get('/out')
        gate.open()
        const { status, cookies } = await answer
        assert.deepEqual({ status, cookies, errors }, { status: 200, cookies: [], errors: [] })
        assert.equal((await kept.get('/')).text, 'nobody')
        assert.equal((made.store as MemoryStore).size, 0)
      })
    }
  }
}

for (const [mode, options] of Object.entries(STORE_MODES)) {
  test(`logout changes the server’s state (CVE-2023-20862): ${mode}: every copy of the cookie is nobody’s`, async t => {
    const { visitor, options: made } = await serve(t, options)
    await visitor.get('/in')
    const copies = [visitor.copy(), visitor.copy()]
    await visitor.get('/out')
    assert.equal(visitor.jar.size, 0)
    for (const copy of copies) assert.equal((await copy.get('/')).text, 'nobody')
    assert.equal((made.store as Partial<MemoryStore>).size ?? 0, 0)
  })

  test(`saving “empty” works (CVE-2023-20862): ${mode}: an emptied session is gone from the server`, async t => {
    const emptied: Pages = {
      '/delete': ctx => {
        delete ctx.session.user
      },
      '/replace': ctx => {
        ctx.session = {}
      },
      '/clean': ctx => ctx.session.regenerate({ keep: [] }),
    }
    for (const page of Object.keys(emptied)) {
      const { visitor } = await serve(t, options, emptied)
      await visitor.get('/in')
      const kept = visitor.copy()
      await visitor.get(page)
      assert.equal((await kept.get('/all')).text, '{}', page)
      assert.equal((await visitor.get('/')).text, 'nobody', page)
    }
  })
}

const EMPTY_PAGES: Pages = {
  '/put-and-take': ctx => {
    ctx.session.user = 'ada'
    delete ctx.session.user
  },
  '/assign': ctx => {
    ctx.session = {}
  },
  '/renew': ctx => ctx.session.regenerate(),
  '/save': ctx => ctx.session.save(),
  '/max-age': ctx => {
    ctx.session.maxAge = HOUR
  },
}

for (const [mode, options] of Object.entries(MODES)) {
  test(`empty sessions are never persisted, at logout included (CVE-2015-5143, CVE-2015-5963): ${mode}`, async t => {
    for (const more of [{}, { rolling: true }, { renew: true }]) {
      const { visitor, options: made } = await serve(t, options, EMPTY_PAGES, { options: more })
      for (const page of ['/', '/all', '/put-and-take', '/assign', '/renew', '/untouched', '/out']) {
        await visitor.get(page)
        assert.equal(visitor.jar.size, 0, page)
      }
      assert.equal((made.store as Partial<MemoryStore> | undefined)?.size ?? 0, 0)
    }
  })

  test(`an empty session is persisted where the handler calls save() or sets maxAge: ${mode}`, async t => {
    for (const page of ['/save', '/max-age']) {
      const { visitor } = await serve(t, options, EMPTY_PAGES)
      await visitor.get(page)
      assert.ok(visitor.jar.has(KEY), page)
    }
  })
}
