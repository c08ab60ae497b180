/** One response and the value that it sends, without a connection: what leaves, however the headers were left. */
import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import test from 'node:test'
import { resolveConfig } from '../../src/config.ts'
import { NodeExchange } from '../../src/node/exchange.ts'
import { cookieLines, setCookieLines, without } from '../../src/node/set-cookie.ts'
import type { Carrier } from '../../src/request/carrier.ts'
import type { SessionEvent } from '../../src/request/exchange.ts'
import { Settings } from '../../src/request/settings.ts'
import { responseWith } from './response.ts'

type Given = Readonly<Record<string, unknown>>
const CTX = { is: 'the context' }
/** The cookies of the handler. */
const MINE = ['mine=1', 'more=2']
const FAILURE = new Error('of the listener')

/** An exchange whose application writes down what it is told. */
class Told extends NodeExchange {
  readonly #told: unknown[]

  constructor(
    ctx: unknown,
    res: ConstructorParameters<typeof NodeExchange>[1],
    carrier: Carrier,
    settings: Settings,
    told: unknown[],
  ) {
    super(ctx, res, carrier, settings)
    this.#told = told
  }

  override hears(): boolean {
    return false
  }

  override emit(event: SessionEvent): void {
    this.#told.push(this.ctx, event)
  }
}

/**
 * An exchange over a response that has cookies of the handler. The value is in a cookie and its signature, and where it
 * is `inHeader`, in the header X-Session.
 */
function open(options: Given = {}, inHeader = false) {
  const res = responseWith({ 'Set-Cookie': MINE })
  const told: unknown[] = []
  /** Lines that the framework adds when it reads the value, one each time. */
  const renewals: string[] = []
  const put = (lines: readonly string[], earlier: readonly string[]) => {
    setCookieLines(res, [...without(cookieLines(res), earlier), ...lines])
    return lines
  }
  const cookie: Carrier = {
    usesCookies: true,
    read: (at, nth) => {
      for (const line of renewals.splice(0, 1)) res.appendHeader('Set-Cookie', line)
      return `${nth} of ${at === exchange}`
    },
    write: (_, value, earlier) => put([`s=${value}`, `s.sig=${value}`], earlier),
    clear: (_, earlier) => put(['s=; expires'], earlier),
    check: (at, value) => {
      told.push(`${value} checked ${at === exchange}`)
    },
  }
  const putHeader = (value: string) => {
    res.setHeader('X-Session', value)
    return []
  }
  const header: Carrier = {
    ...cookie,
    usesCookies: false,
    write: (_, value, earlier) => putHeader(value + earlier),
    clear: (_, earlier) => putHeader(`none${earlier}`),
  }
  const settings = new Settings(resolveConfig({ key: 's', ...options }))
  const exchange = new Told(CTX, res, inHeader ? header : cookie, settings, told)
  let turns = 0
  return {
    res,
    told,
    renewals,
    exchange,
    /** Watches the headers; before they leave, it does `work`. */
    watch: (work = () => {}) =>
      exchange.watchHeaders({
        leave() {
          told.push(`leave ${++turns}`)
          work()
        },
      }),
    removeAll: () => {
      for (const name of res.getHeaderNames()) res.removeHeader(name)
    },
    sent: () => ({
      cookies: cookieLines(res),
      vary: res.getHeader('vary'),
      cache: res.getHeader('cache-control'),
    }),
  }
}

type One = ReturnType<typeof open>
const OURS = ['s=v', 's.sig=v']
const [PROTECTED, UNPROTECTED] = [
  { vary: 'Cookie', cache: 'no-store' },
  { vary: undefined, cache: undefined },
]
const wipe = ({ removeAll }: One) => removeAll()
const wipeWithStatus =
  (status: number, headers: Readonly<Record<string, string>> = {}) =>
  ({ res, removeAll }: One) => {
    removeAll()
    res.statusCode = status
    for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
  }
/** Any cache may keep it. */
const KEPT = { 'Cache-Control': 'max-age=60' }
const replaceBy =
  (...lines: string[]) =>
  ({ res }: One) =>
    setCookieLines(res, lines)
const failing =
  (work: (one: One) => unknown) =>
  (one: One): void => {
    one.exchange.fail()
    work(one)
  }

/** What is done to the response once a value was sent, and what leaves. */
const LEFT: Readonly<
  Record<
    string,
    readonly [
      work: (one: One) => unknown,
      cookies: readonly string[],
      headers: { vary?: unknown; cache?: unknown },
      options?: Given,
      line?: readonly unknown[],
    ]
  >
> = {
  'nothing is done': [() => {}, [...MINE, ...OURS], PROTECTED],
  'a cookie is added': [({ res }) => res.appendHeader('Set-Cookie', 'b=2'), [...MINE, ...OURS, 'b=2'], PROTECTED],
  'other cookies take the place of all': [replaceBy('b=2'), ['b=2', ...OURS], PROTECTED],
  'as many cookies as before take their place': [replaceBy('mine=1', 'c=3'), ['mine=1', 'c=3', ...OURS], PROTECTED],
  'a part of those of before is left': [replaceBy('mine=1'), ['mine=1', ...OURS], PROTECTED],
  'one line of two is lost': [replaceBy(...MINE, 's=v'), [...MINE, ...OURS], PROTECTED],
  'the cookies are as they were before': [replaceBy(...MINE), MINE, PROTECTED],
  'no cookies are left': [replaceBy(), [], PROTECTED],
  'all headers are deleted': [wipe, OURS, PROTECTED],
  'all headers are deleted, and others may keep it': [wipeWithStatus(500, KEPT), [], { cache: 'max-age=60' }],
  'the same after an error': [
    failing(wipeWithStatus(500, KEPT)),
    OURS,
    { vary: 'Cookie', cache: 'max-age=60, private' },
  ],
  'after an error the cookies alone are removed': [failing(replaceBy()), [], PROTECTED],
  'an argument of writeHead has cookies': [() => {}, ['b=2', ...OURS], PROTECTED, {}, [{ 'Set-Cookie': ['b=2'] }]],
  'an argument of writeHead has the cookies of before': [
    () => {},
    [...MINE, ...OURS],
    PROTECTED,
    {},
    [{ 'Set-Cookie': MINE }],
  ],
  'cache headers are off': [() => {}, [...MINE, ...OURS], UNPROTECTED, { cacheHeaders: false }],
  'all headers are deleted, cache headers are off': [wipeWithStatus(399), [], UNPROTECTED, { cacheHeaders: false }],
  'the same with an error status': [wipeWithStatus(400), OURS, UNPROTECTED, { cacheHeaders: false }],
  'the same with an error status that others may keep': [
    wipeWithStatus(400, KEPT),
    [],
    { cache: 'max-age=60' },
    { cacheHeaders: false },
  ],
  'the same after an error, and cache headers are off': [
    failing(wipeWithStatus(200, KEPT)),
    OURS,
    { cache: 'max-age=60' },
    { cacheHeaders: false },
  ],
  'all headers are deleted, and the cookie has another name by now': [
    one => {
      one.removeAll()
      one.exchange.settings.view.key = 'other'
      one.exchange.settings.refresh()
    },
    OURS,
    PROTECTED,
  ],
  'the same, and one line of two is lost': [
    one => {
      replaceBy('s=v')(one)
      one.exchange.settings.view.key = 'other'
      one.exchange.settings.refresh()
      one.res.removeHeader('cache-control')
    },
    ['s=v', 's.sig=v'],
    PROTECTED,
  ],
  'it is withdrawn': [({ exchange }) => exchange.withdraw(), MINE, PROTECTED],
  'it is withdrawn, and all headers are deleted': [
    one => {
      one.exchange.withdraw()
      one.removeAll()
    },
    [],
    UNPROTECTED,
  ],
  'it is withdrawn, and sent again': [
    ({ exchange }) => {
      exchange.withdraw()
      exchange.send('w')
    },
    [...MINE, 's=w', 's.sig=w'],
    PROTECTED,
  ],
  'another value takes its place': [({ exchange }) => exchange.send('w'), [...MINE, 's=w', 's.sig=w'], PROTECTED],
  'it is cleared': [({ exchange }) => exchange.clear(), [...MINE, 's=; expires'], PROTECTED],
  'it is cleared, and all headers are deleted': [
    one => {
      one.exchange.clear()
      one.removeAll()
    },
    ['s=; expires'],
    PROTECTED,
  ],
}

for (const [title, [work, cookies, headers, options, line = []]] of Object.entries(LEFT)) {
  test(`what leaves once a value was sent: ${title}`, () => {
    const one = open(options)
    one.watch()
    one.exchange.send('v')
    work(one)
    Reflect.apply(one.res.writeHead, one.res, [one.res.statusCode, ...line])
    assert.deepEqual(one.sent(), { cookies, ...UNPROTECTED, ...headers })
    assert.deepEqual(one.told, ['leave 1'])
  })
}

/** In a header: what is done to the response once the value was sent, and the header that leaves. */
const IN_HEADER: Readonly<Record<string, readonly [work: (one: One) => unknown, left: string | undefined]>> = {
  'nothing is done': [() => {}, 'v'],
  'all headers are deleted': [wipe, undefined],
  'all headers are deleted after an error': [failing(wipe), 'v'],
  'all headers are deleted, with an error status': [wipeWithStatus(404), 'v'],
  'the same, and others may keep it': [wipeWithStatus(404, KEPT), undefined],
  'the cookies of others are replaced': [replaceBy('b=2'), 'v'],
  'it is cleared, and all headers are deleted after an error': [
    failing(one => {
      one.exchange.clear()
      one.removeAll()
    }),
    'none',
  ],
}

for (const [title, [work, left]] of Object.entries(IN_HEADER)) {
  test(`what leaves once a value was sent in a header: ${title}`, () => {
    const one = open({}, true)
    one.watch()
    one.exchange.use()
    one.exchange.send('v')
    work(one)
    one.res.writeHead(one.res.statusCode)
    assert.equal(one.res.getHeader('x-session'), left)
    assert.equal(one.res.hasHeader('vary'), false)
  })
}

/** Where no value was sent: what is done, and what leaves. */
const UNSENT: Readonly<Record<string, readonly [work: (one: One) => unknown, headers: object, told?: unknown[]]>> = {
  'nothing is done': [() => {}, UNPROTECTED],
  'the session is used': [({ exchange }) => exchange.use(), { vary: 'Cookie', cache: undefined }],
  'all headers are deleted': [({ res }) => res.removeHeader('set-cookie'), { ...UNPROTECTED, cookies: [] }],
  'the framework signs it anew': [
    ({ res }) => res.appendHeader('Set-Cookie', 's.sig=new'),
    { cookies: [...MINE, 's.sig=new'], ...PROTECTED },
  ],
  'it is sent while the headers leave': [
    one => one.watch(() => one.exchange.send('w')),
    { cookies: [...MINE, 's=w', 's.sig=w'], ...PROTECTED },
  ],
  'the listener throws': [
    one => {
      one.exchange.use()
      one.watch(() => {
        throw FAILURE
      })
    },
    { vary: 'Cookie', cache: undefined },
    ['leave 1', CTX, { type: 'error', error: FAILURE }],
  ],
}

for (const [title, [work, headers, told = ['leave 1']]] of Object.entries(UNSENT)) {
  test(`what leaves where no value was sent: ${title}`, () => {
    const one = open()
    one.watch()
    work(one)
    one.res.writeHead(200)
    assert.deepEqual([one.sent(), one.told], [{ cookies: MINE, ...UNPROTECTED, ...headers }, told])
  })
}

test('a value that is sent while the headers leave takes the place of one that was lost', () => {
  const one = open()
  one.exchange.send('v')
  one.watch(() => one.exchange.send('w'))
  one.removeAll()
  one.res.writeHead(200)
  assert.deepEqual(one.sent(), { cookies: ['s=w', 's.sig=w'], ...PROTECTED })
})

test('a signature that is renewed when it is read keeps the response out of caches, and the listener stays', () => {
  for (const [line, headers, told] of [
    ['s.sig=new', PROTECTED, ['leave 1']],
    ['other=new', UNPROTECTED, []],
  ] as const) {
    for (const isWatched of [false, true]) {
      const { res, exchange, watch, renewals, ...one } = open()
      if (isWatched) watch()
      renewals.push(line)
      assert.equal(exchange.receive(2), '2 of true')
      res.writeHead(200)
      assert.deepEqual(one.sent(), { cookies: [...MINE, line], ...headers })
      assert.deepEqual(one.told, isWatched ? ['leave 1'] : told.slice(1))
    }
  }
})

test('once the headers have left nothing is sent, withdrawn or checked', () => {
  const one = open()
  const { exchange, res } = one
  exchange.checkSend('v')
  exchange.send('v')
  assert.deepEqual([exchange.hasLeft, exchange.sent], [false, 'v'])
  res.writeHead(200)
  const before = one.sent()
  exchange.send('w')
  exchange.clear()
  exchange.withdraw()
  exchange.checkSend('w')
  assert.deepEqual([exchange.hasLeft, exchange.sent, one.sent(), one.told], [true, 'v', before, ['v checked true']])
})

test('what is sent last is known, and nothing after it was cleared or withdrawn', () => {
  const { exchange } = open()
  assert.equal(exchange.sent, undefined)
  exchange.send('v')
  exchange.clear()
  assert.equal(exchange.sent, undefined)
  exchange.send('w')
  exchange.withdraw()
  assert.equal(exchange.sent, undefined)
})

/** What is done where a shared cache may keep the response, and what leaves. */
const SHARED: Readonly<
  Record<string, readonly [work: (one: One) => unknown, cookies: readonly string[], headers: object, options?: Given]>
> = {
  'a value is sent': [
    ({ exchange }) => exchange.send('v'),
    [...MINE, ...OURS],
    { vary: 'Cookie', cache: 'max-age=60, private' },
  ],
  'a value is sent, and cache headers are off': [
    ({ exchange }) => exchange.send('v'),
    [...MINE, ...OURS],
    { cache: 'max-age=60' },
    { cacheHeaders: false },
  ],
  'a value is sent that nobody asked for': [
    ({ exchange }) => exchange.send('v', true),
    MINE,
    { vary: 'Cookie', cache: 'max-age=60' },
  ],
  'one that nobody asked for, and one that somebody did': [
    ({ exchange }) => {
      exchange.send('w', true)
      exchange.send('v')
    },
    [...MINE, ...OURS],
    { vary: 'Cookie', cache: 'max-age=60, private' },
  ],
  'it is cleared': [
    ({ exchange }) => exchange.clear(),
    [...MINE, 's=; expires'],
    { vary: 'Cookie', cache: 'max-age=60, private' },
  ],
  'the session is used': [({ exchange }) => exchange.use(), MINE, { vary: 'Cookie', cache: 'max-age=60' }],
  'two signatures are renewed when they are read': [
    ({ renewals, exchange }) => {
      renewals.push('s.sig=one', 's.sig=two')
      for (const nth of [0, 1]) exchange.receive(nth)
    },
    MINE,
    { cache: 'max-age=60' },
  ],
}

for (const [title, [work, cookies, headers, options]] of Object.entries(SHARED)) {
  test(`what leaves where a shared cache may keep it: ${title}`, () => {
    const one = open(options)
    one.res.setHeader('Cache-Control', 'max-age=60')
    one.watch()
    work(one)
    one.res.writeHead(200)
    assert.deepEqual(one.sent(), { cookies, ...UNPROTECTED, ...headers })
  })
}

test('what nobody asked for forbids caching when it leaves, and not before', () => {
  for (const isUnasked of [true, false]) {
    const one = open()
    one.watch()
    one.exchange.send('v', isUnasked)
    assert.deepEqual(one.sent(), { cookies: [...MINE, ...OURS], ...PROTECTED, ...(isUnasked && { cache: undefined }) })
    one.res.writeHead(200)
    assert.deepEqual(one.sent(), { cookies: [...MINE, ...OURS], ...PROTECTED })
  }
})

test('a signature of a session that is not in a cookie stays where a shared cache may keep it', () => {
  const one = open({}, true)
  one.res.setHeader('Cache-Control', 'max-age=60')
  one.renewals.push('s.sig=new')
  one.exchange.receive(0)
  one.res.writeHead(200)
  assert.deepEqual(one.sent(), { cookies: [...MINE, 's.sig=new'], ...UNPROTECTED, cache: 'max-age=60' })
})

test('what is withdrawn while the headers leave is not put back', () => {
  const one = open({}, true)
  one.exchange.send('v')
  one.watch(() => one.exchange.withdraw())
  failing(wipe)(one)
  one.res.writeHead(200)
  assert.equal(one.res.hasHeader('x-session'), false)
})

test('what is sent with a response to an upgrade is late, because nobody sends it', () => {
  for (const [upgrade, socket, told] of [
    ['websocket', null, [CTX, { type: 'late' }]],
    ['websocket', new Socket(), []],
    [undefined, null, []],
  ] as const) {
    const one = open()
    if (upgrade) one.res.req.headers.upgrade = upgrade
    if (socket) one.res.assignSocket(socket)
    one.exchange.send('v')
    assert.deepEqual(one.told, told)
  }
})

test('what lets a shared cache keep the response is known', () => {
  const { exchange, res } = open()
  assert.equal(exchange.isShared, false)
  res.setHeader('Cache-Control', 'public')
  assert.equal(exchange.isShared, true)
})

test('without a response nothing can be sent, and nothing is watched', () => {
  const told: unknown[] = []
  const { exchange } = open()
  const carrier: Carrier = {
    usesCookies: true,
    read: () => 'v',
    write: () => assert.fail(),
    clear: () => assert.fail(),
    check: () => assert.fail(),
  }
  const alone = new Told(CTX, undefined, carrier, exchange.settings, told)
  alone.use()
  alone.watchHeaders({ leave: () => told.push('leave') })
  for (const work of ['send', 'checkSend'] as const) alone[work]('v')
  for (const work of ['clear', 'withdraw', 'complete'] as const) alone[work]()
  alone.assess(true)
  assert.deepEqual(
    [alone.receive(0), alone.hasLeft, alone.isShared, alone.sent, told],
    ['v', true, false, undefined, []],
  )
})
