/** Rows 55, 58, 59 and 61 of the ledger: what is assigned to `ctx.session`. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { HOUR, MODES, type Page, type Pages, STORE_MODES, serve, told } from '../../support/story.ts'
import { attribute } from '../both.ts'

class Account {
  readonly user = 'bob'
  get greeting() {
    return `hello ${this.user}`
  }
}
class Tagged extends Account {
  readonly [Symbol.toStringTag] = 'Account'
}
function givenArguments(..._: unknown[]): unknown {
  // biome-ignore lint/complexity/noArguments: this is the value
  return arguments
}

/** `Object.prototype.toString` calls none of them `[object Object]`. */
const REFUSED: Readonly<Record<string, () => unknown>> = {
  'a Map': () => new Map([['user', 'bob']]),
  'a Set': () => new Set(['bob']),
  'a WeakMap': () => new WeakMap(),
  'a Date': () => new Date(0),
  'an array': () => ['bob'],
  'an empty array': () => [],
  'a promise': () => Promise.resolve({ user: 'bob' }),
  URLSearchParams: () => new URLSearchParams('user=bob'),
  Headers: () => new Headers({ user: 'bob' }),
  FormData: () => new FormData(),
  'an Error': () => new Error('bob'),
  'a RegExp': () => /bob/,
  'a Buffer': () => Buffer.from('bob'),
  'an ArrayBuffer': () => new ArrayBuffer(3),
  'a URL': () => new URL('http://bob.example'),
  'a boxed text': () => Object('bob'),
  'a boxed number': () => Object(7),
  arguments: () => givenArguments('bob'),
  Math: () => Math,
  'an object with a tag of its own': () => new Tagged(),
}
const ALLOWED: Readonly<Record<string, () => object>> = {
  'a plain object': () => ({ user: 'bob' }),
  'an object without a prototype': () => Object.assign(Object.create(null), { user: 'bob' }),
  'an object of a class': () => new Account(),
  'an object that inherits': () => Object.assign(Object.create({ inherited: 1 }), { user: 'bob' }),
  'a proxy of an object': () => new Proxy({ user: 'bob' }, {}),
  'a frozen object': () => Object.freeze({ user: 'bob' }),
}

for (const [mode, make] of Object.entries(MODES)) {
  for (const isRead of [false, true]) {
    const seen = isRead ? 'that was read' : 'that was not read'
    const read: Page = ctx => isRead && ctx.session.user

    for (const [what, value] of Object.entries(REFUSED)) {
      test(`#58 ${mode}: ${what} assigned as a session ${seen} is ERR_SESSION_VALUE, and the session stays`, async t => {
        const { visitor, errors } = await serve(t, make, {
          '/page': ctx => {
            read(ctx)
            ctx.session = value()
          },
          '/caught': ctx => {
            read(ctx)
            assert.throws(() => {
              ctx.session = value()
            })
            return ctx.session.user
          },
        })
        await visitor.get('/in')
        assert.equal((await visitor.get('/page')).status, 500)
        assert.deepEqual(
          [errors.map(({ code }) => code), (await visitor.get('/all')).text],
          [['ERR_SESSION_VALUE'], '{"user":"ada"}'],
        )
        assert.equal((await visitor.get('/caught')).text, 'ada')
      })
    }

    for (const [what, value] of Object.entries(ALLOWED)) {
      test(`#58 ${mode}: ${what} can be assigned as a session ${seen}`, async t => {
        const { visitor } = await serve(t, make, {
          '/page': ctx => {
            read(ctx)
            ctx.session = value()
          },
        })
        await visitor.get('/in')
        await visitor.get('/page')
        assert.equal((await visitor.get('/all')).text, '{"user":"bob"}')
      })
    }

    for (const maxAge of ['session', 5_000] as const) {
      test(`#59 ${mode}: replacing the data of a session ${seen} keeps its lifetime (${maxAge})`, async t => {
        const { visitor } = await serve(t, make, {
          '/begin': ctx => {
            ctx.session.user = 'ada'
            ctx.session.maxAge = maxAge
          },
          '/page': ctx => {
            read(ctx)
            ctx.session = { user: 'bob' }
            return ctx.session.maxAge
          },
          '/maxAge': ctx => `${ctx.session.user} ${ctx.session.maxAge}`,
        })
        await visitor.get('/begin')
        const { text, cookies } = await visitor.get('/page')
        assert.deepEqual([text, (await visitor.get('/maxAge')).text], [String(maxAge), `bob ${maxAge}`])
        for (const line of cookies) assert.equal(attribute(line, 'expires') === undefined, maxAge === 'session', line)
      })
    }

    test(`#59 ${mode}: data that replaces that of a session ${seen} may bring another lifetime`, async t => {
      const { visitor } = await serve(t, make, {
        '/begin': ctx => {
          ctx.session.user = 'ada'
          ctx.session.maxAge = 'session'
        },
        '/page': ctx => {
          read(ctx)
          ctx.session = { user: 'bob', maxAge: 5_000 }
        },
        '/maxAge': ctx => `${ctx.session.user} ${ctx.session.maxAge}`,
      })
      await visitor.get('/begin')
      await visitor.get('/page')
      assert.equal((await visitor.get('/maxAge')).text, 'bob 5000')
    })
  }

  for (const [how, value] of [
    ['null', null],
    ['an object', { user: 'bob' }],
  ] as const) {
    for (const path of ['/', '/untouched']) {
      test(`#61 ${mode}: ${how} assigned after the response to ${path} is session:late`, async t => {
        let after = () => {}
        const done = new Promise<void>(resolve => {
          after = resolve
        })
        const late = (page: Page): Page => {
          return ctx => {
            ctx.res.once('finish', () =>
              setImmediate(() => {
                if (ctx.get('x-late')) ctx.session = value
                after()
              }),
            )
            return page(ctx)
          }
        }
        const pages: Pages = { '/': late(ctx => ctx.session.user), '/untouched': late(() => 'untouched') }
        const { visitor, events, errors } = await serve(t, make, pages)
        await visitor.get('/in')
        await visitor.get(path, { 'x-late': '1' })
        await done
        await told()
        assert.deepEqual([events.map(([event]) => event), errors], [['session:late'], []])
        assert.equal((await visitor.get('/all')).text, '{"user":"ada"}')
      })
    }
  }
}

for (const [mode, make] of Object.entries(STORE_MODES)) {
  for (const isRead of [false, true]) {
    const read: Page = ctx => isRead && ctx.session.user
    const replaced = (then: Page): Pages => ({
      '/begin': ctx => {
        ctx.session.user = 'ada'
        ctx.session.maxAge = 5_000
      },
      '/page': ctx => {
        read(ctx)
        ctx.session = null
        return then(ctx)
      },
      '/id': ctx => ctx.session.externalKey,
      '/maxAge': ctx => `${ctx.session.user} ${ctx.session.maxAge}`,
    })
    const seen = isRead ? 'that was read' : 'that was not read'

    test(`#55 ${mode}: null and then data, in place of a session ${seen}, has a new id and the configured lifetime`, async t => {
      const { visitor, errors } = await serve(
        t,
        make,
        replaced(ctx => {
          ctx.session = { user: 'bob' }
          return `${ctx.session.externalKey} ${ctx.session.maxAge}`
        }),
      )
      await visitor.get('/begin')
      const before = visitor.copy()
      const { text: id } = await visitor.get('/id')
      const { text } = await visitor.get('/page')
      assert.equal(text, `${(await visitor.get('/id')).text} ${HOUR}`)
      assert.notEqual(text.split(' ')[0], id)
      assert.equal((await visitor.get('/maxAge')).text, `bob ${HOUR}`)
      assert.deepEqual([(await before.get('/')).text, errors], ['nobody', []], 'the old id is destroyed')
    })

    for (const [what, then] of [
      [
        'null again',
        (ctx: Parameters<Page>[0]) => {
          ctx.session = { user: 'bob' }
          ctx.session = null
        },
      ],
      [
        'an empty object',
        (ctx: Parameters<Page>[0]) => {
          ctx.session = {}
        },
      ],
    ] as const) {
      test(`#55 ${mode}: null and then ${what}, in place of a session ${seen}, is its end`, async t => {
        const { visitor } = await serve(t, make, replaced(then))
        await visitor.get('/begin')
        const before = visitor.copy()
        await visitor.get('/page')
        assert.deepEqual([[...visitor.jar.keys()], (await before.get('/')).text], [[], 'nobody'])
      })
    }
  }
}
