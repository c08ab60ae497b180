/** Mistakes of set-up that let everybody in, or leave out what was asked for, are errors. */
import assert from 'node:assert/strict'
import test from 'node:test'
import Keygrip from 'keygrip'
import session from 'koa-session'
import { createApp } from '../support/koa.ts'
import { newSecret } from '../support/secrets.ts'
import { ask, MODES, type Pages, SECRETS, serve } from '../support/story.ts'

const NO_OPTIONS: Readonly<Record<string, unknown>> = {
  'a promise': Promise.resolve({ seal: true }),
  'an array': [{ seal: true }],
  'a Map': new Map([['seal', true]]),
  'a number': 5,
  'a string': 'session',
}

for (const [what, options] of Object.entries(NO_OPTIONS)) {
  test(`options that are ${what} are refused, and not left out`, () => {
    const app = createApp()
    const message = `session(): the options were ${what}, expected an object`
    assert.throws(() => session(options as never, app), { code: 'ERR_SESSION_OPTION', message })
  })
}

test('options that are nothing are the defaults', () => {
  for (const options of [undefined, null, {}, Object.create(null)]) session(options as never, createApp())
})

for (const [algorithm, encoding] of [
  ['sha1', 'hex'],
  ['sha384', 'base64'],
  ['md5', 'hex'],
  ['ripemd160', 'base64'],
] as const) {
  test(`a Keygrip by ${algorithm} in ${encoding} with an empty entry is ERR_SESSION_KEYS, and a good one is none`, () => {
    const app = createApp()
    app.keys = new Keygrip([newSecret(), ''], algorithm, encoding) as never
    assert.throws(() => session(app), { code: 'ERR_SESSION_KEYS' })
    app.keys = new Keygrip([newSecret(), newSecret()], algorithm, encoding) as never
    session(app)
  })
}

test('a framework whose getter of app.keys throws where they are not set can start', () => {
  const app = createApp()
  Object.defineProperty(app, 'keys', {
    get() {
      throw new Error('set config.keys')
    },
  })
  session(app)
})

for (const [mode, make] of Object.entries(MODES)) {
  test(`secrets that are set later and are none are an error of a visitor without a cookie, too: ${mode}`, async t => {
    const pages: Pages = { '/': ctx => String(ctx.session.user) }
    const { app, errors } = await serve(t, make, pages)
    app.keys = [SECRETS[0], undefined] as never
    const { status } = await ask(app, '/', '')
    assert.deepEqual([status, (errors[0] as { code?: string })?.code], [500, 'ERR_SESSION_KEYS'])
  })
}

for (const [mode, make] of Object.entries(MODES)) {
  test(`seal can't be switched for one response: ${mode}`, async t => {
    const pages: Pages = {
      '/': ctx => {
        ctx.sessionOptions.seal = !ctx.sessionOptions.seal
        ctx.session.user = 'ada'
      },
    }
    const { visitor, errors } = await serve(t, make, pages)
    const { status, cookies } = await visitor.get('/')
    assert.deepEqual([status, (errors[0] as { code?: string })?.code, cookies], [500, 'ERR_SESSION_OPTION', []])
  })
}
