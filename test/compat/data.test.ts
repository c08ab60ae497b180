/** What a session can hold. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { ask, encoded, same, serve, withBoth } from './both.ts'

test('#19 a name that begins with _ is kept', async t => {
  const told = await withBoth(async session => {
    const { visitor } = await serve(t, app => session({}, app), {
      '/': ctx => {
        Object.assign(ctx.session, { user: 'ann', _csrf: 'token', __v: 1 })
      },
      '/read': ctx => [ctx.session.user, ctx.session._csrf ?? null, ctx.session.__v ?? null],
    })
    await visitor.get()
    return ask(visitor, '/read')
  })
  assert.deepEqual(told, { '7.0.2': ['ann', null, null], '8': ['ann', 'token', 1] })
})

test('#19 functions are not saved', async t => {
  const told = await withBoth(async session => {
    const { visitor } = await serve(t, app => session({}, app), {
      '/': ctx => {
        Object.assign(ctx.session, { user: 'ann', greet: () => 'hello' })
        return [ctx.session.greet(), ctx.session.length]
      },
      '/read': ctx => ctx.session,
    })
    return [await ask(visitor, '/'), await ask(visitor, '/read')]
  })
  assert.deepEqual(told, same([['hello', 1], { user: 'ann' }]))
})

test('#31 Object.keys(ctx.session) and for…in list the data, and only the data', async t => {
  const told = await withBoth(async session => {
    const { visitor } = await serve(t, app => session({ signed: false }, app), {
      '/': ctx => {
        const listed = []
        for (const name in ctx.session) listed.push(name)
        return [Object.keys(ctx.session), listed]
      },
    })
    visitor.jar.set('koa.sess', encoded({ user: 'ann', _expire: Date.now() + 5000, _maxAge: 5000 }))
    return (await ask(visitor, '/')) as string[][]
  })
  assert.deepEqual(told['8'], [['user'], ['user']])
  for (const name of ['isNew', '_requireSave', '_expire']) assert.ok(told['7.0.2'][0]?.includes(name), name)
})

test('#41 a Date becomes what JSON makes of it', async t => {
  const told = await withBoth(async session => {
    const { visitor } = await serve(t, app => session({}, app), {
      '/': ctx => {
        ctx.session.since = new Date(0)
      },
      '/read': ctx => ctx.session.since,
    })
    await visitor.get()
    return ask(visitor, '/read')
  })
  assert.deepEqual(told, same('1970-01-01T00:00:00.000Z'))
})

const LOSSY: Array<[what: string, make: () => unknown, before: unknown]> = [
  ['Map', () => new Map([['apple', 1]]), {}],
  ['Set', () => new Set(['apple']), {}],
  ['Map in an array', () => [{ deep: new Map() }], [{ deep: {} }]],
  ['BigInt', () => 1n, 500],
  ['BigInt in an object', () => ({ deep: [1n] }), 500],
]

for (const [what, make, before] of LOSSY) {
  test(`#41 a ${what} is a coded error that names the key`, async t => {
    const told = await withBoth(async session => {
      const { visitor, errors } = await serve(t, app => session({}, app), {
        '/': ctx => {
          ctx.session.cart = make()
        },
        '/read': ctx => ctx.session.cart,
      })
      const status = await ask(visitor, '/')
      return { result: status ?? (await ask(visitor, '/read')), errors }
    })
    assert.deepEqual(told['7.0.2'].result, before)
    assert.equal(told['8'].result, 500)
    assert.equal(told['8'].errors[0]?.code, 'ERR_SESSION_DATA')
    assert.match(told['8'].errors[0]?.message ?? '', /session\.cart/)
  })
}
