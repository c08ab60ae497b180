/** What a session can hold, and under which names. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { ask, encoded, packages, same, serve, thrownBy, withBoth } from './both.ts'

const METHODS = ['save', 'regenerate', 'manuallyCommit', 'commit', 'toJSON']
const GETTERS = ['isNew', 'externalKey', 'length', 'populated']
const METADATA = ['_expire', '_maxAge', '_session', '_requireSave', '_meta']
const RESERVED = [...METHODS, ...GETTERS, ...METADATA]

test('#9 __proto__ in an unsigned cookie is ignored', async t => {
  const told = await withBoth(async session => {
    const { visitor } = await serve(t, app => session({ signed: false }, app), {
      '/': ctx => [ctx.session.user, ctx.session.polluted ?? null, 'polluted' in {}, ctx.session.isNew],
    })
    visitor.jar.set('koa.sess', encoded('{"user":"ann","__proto__":{"polluted":true}}'))
    return ask(visitor, '/')
  })
  assert.deepEqual(told, { '7.0.2': 500, '8': ['ann', null, false, false] })
})

test('#9 __proto__ in what is assigned to the session reaches no prototype', async t => {
  const { visitor } = await serve(t, app => packages['8']({}, app), {
    '/': async ctx => {
      Object.assign(ctx.session, JSON.parse('{"user":"ann","__proto__":{"polluted":true}}'))
      await ctx.session.save()
      return [ctx.session.user, ctx.session.polluted ?? null, 'polluted' in {}]
    },
  })
  assert.deepEqual(await ask(visitor, '/'), ['ann', null, false])
})

for (const name of [...RESERVED, 'maxAge']) {
  test(`#10 ${name} in a stored session is ignored`, async t => {
    const { visitor } = await serve(t, app => packages['8']({ signed: false }, app), {
      '/': async ctx => {
        const { isNew, length, populated, externalKey = null } = ctx.session
        const data = ctx.session.toJSON()
        await ctx.session.manuallyCommit()
        return { data, isNew, length, populated, externalKey }
      },
    })
    visitor.jar.set('koa.sess', encoded({ user: 'ann', [name]: 'stored' }))
    const expected = { data: { user: 'ann' }, isNew: false, length: 1, populated: true, externalKey: null }
    assert.deepEqual(await ask(visitor, '/'), expected)
  })
}

test('#10 a stored save breaks 7.0.2, and nothing here', async t => {
  const told = await withBoth(async session => {
    const { visitor } = await serve(t, app => session({ signed: false }, app), { '/': ctx => typeof ctx.session.save })
    visitor.jar.set('koa.sess', encoded({ save: 'stored' }))
    return ask(visitor, '/')
  })
  assert.deepEqual(told, { '7.0.2': 'string', '8': 'function' })
})

/** What code that is not in strict mode does. */
const assignSloppily = new Function('session', 'name', 'value', 'session[name] = value')

for (const name of RESERVED) {
  test(`#10 data that is assigned to session.${name} throws a TypeError that names it`, async t => {
    const { visitor } = await serve(t, app => packages['8']({}, app), {
      '/': ctx => {
        const attempts = [
          () => (ctx.session[name] = 'data'),
          () => assignSloppily(ctx.session, name, 'data'),
          () => (ctx.session = { [name]: 'data' }),
        ]
        return attempts.map(attempt => {
          const { name: kind, message = '' } = thrownBy(attempt) ?? {}
          return [kind, message.includes(name)]
        })
      },
    })
    const refused = ['TypeError', true]
    assert.deepEqual(await ask(visitor, '/'), [refused, refused, refused])
  })
}

for (const name of METHODS) {
  test(`#10 a function shadows session.${name} for one request, and is not saved`, async t => {
    const { visitor } = await serve(t, app => packages['8']({}, app), {
      '/shadow': ctx => {
        assignSloppily(ctx.session, name, () => 'mine')
        ctx.session.user = 'ann'
        return ctx.session[name]()
      },
      '/': ctx => [Object.keys(ctx.session), Object.hasOwn(ctx.session, name), typeof ctx.session[name]],
    })
    assert.equal(await ask(visitor, '/shadow'), 'mine')
    assert.deepEqual(await ask(visitor, '/'), [['user'], false, 'function'])
  })
}

test('#10 maxAge keeps its setter', async t => {
  const told = await withBoth(async session => {
    const { visitor } = await serve(t, app => session({}, app), {
      '/': ctx => {
        ctx.session.user = 'ann'
        ctx.session.maxAge = 5000
      },
      '/read': ctx => ctx.session.maxAge,
    })
    await visitor.get()
    return ask(visitor, '/read')
  })
  assert.deepEqual(told, same(5000))
})

for (const name of ['update', 'handle', 'createdAt', 'isFresh', 'degraded', 'data', 'id', 'constructor', 'destroy']) {
  test(`#10 data named ${name} is stored as in 7.x`, async t => {
    const told = await withBoth(async session => {
      const { visitor } = await serve(t, app => session({ signed: false }, app), {
        '/': ctx => {
          ctx.session[name] = `${ctx.session[name]}, again`
        },
        '/read': ctx => ctx.session[name],
      })
      visitor.jar.set('koa.sess', encoded({ [name]: 'stored' }))
      await visitor.get()
      return ask(visitor, '/read')
    })
    assert.deepEqual(told, same('stored, again'))
  })
}
