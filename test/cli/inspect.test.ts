import assert from 'node:assert/strict'
import test from 'node:test'
import { type InspectOptions, inspect, type Report } from '../../src/cli/inspect.ts'
import { encoded, MapStore, packages, serve, signature } from '../compat/both.ts'
import {
  chunked,
  FOREIGN,
  HOUR,
  NEWEST,
  NOW,
  OLDER,
  PAYLOAD,
  SECRETS,
  sealed,
  sealedValue,
  signed,
  signedValue,
} from './made.ts'

const inspected = (text: string, options: Partial<InspectOptions> = {}) =>
  inspect(text, { key: 'koa.sess', secrets: SECRETS, now: NOW, unsigned: false, show: false, ...options })

/** The first character of the value is another one. */
const tampered = (header: string) => header.replace(/=(.)/, (_, first) => `=${first === 'A' ? 'B' : 'A'}`)
const changedLast = (text: string) => text.slice(0, -1) + (text.endsWith('A') ? 'Q' : 'A')
const cut = (header: string) => header.replace(/^([^;]*).{8}(;|$)/, '$1$2')

const ACCEPTED = { verdict: 'accepted', reason: undefined } as const
const refused = (reason: Report['reason']) => ({ verdict: 'refused', reason }) as const

test('a signed session is explained as a whole, and without a value', () => {
  assert.deepEqual(inspected(signed(PAYLOAD)), {
    key: 'koa.sess',
    verdict: 'accepted',
    protection: 'signed',
    secret: 0,
    mode: 'cookie',
    created: NOW - HOUR,
    expires: NOW + HOUR,
    maxAge: 2 * HOUR,
    data: [
      { name: 'user', bytes: 21 },
      { name: 'n', bytes: 13 },
    ],
    cookies: [{ name: 'koa.sess', bytes: 'koa.sess'.length + encoded(PAYLOAD).length }],
    pieces: 1,
    limit: 4096,
    ignored: 0,
    secretCount: 2,
  })
})

type Row = readonly [claim: string, text: string, expected: Partial<Report>, options?: Partial<InspectOptions>]

const value = encoded(PAYLOAD)
const [first = '', second = '', third = ''] = chunked({ ...PAYLOAD, long: 'x'.repeat(150) }, 150)
const other = chunked({ ...PAYLOAD, long: 'y'.repeat(150) }, 150)

const modes: readonly Row[] = [
  ['signed', signed(PAYLOAD), { ...ACCEPTED, protection: 'signed', mode: 'cookie', secret: 0 }],
  ['signed with an older secret', signed(PAYLOAD, { secret: OLDER }), { ...ACCEPTED, secret: 1 }],
  ['signed under another name', signed(PAYLOAD, { key: '__Host-id' }), ACCEPTED, { key: '__Host-id' }],
  ['sealed', sealed(PAYLOAD), { ...ACCEPTED, protection: 'sealed', mode: 'cookie', secret: 0 }],
  ['sealed with an older secret', sealed(PAYLOAD, { secret: OLDER }), { ...ACCEPTED, secret: 1 }],
  ['sealed, as a value alone', sealedValue(PAYLOAD), { ...ACCEPTED, protection: 'sealed' }],
  [
    'sealed, beside the signature of an earlier cookie',
    `${sealed(PAYLOAD)}; koa.sess.sig=old`,
    { protection: 'sealed' },
  ],
  ['sealed, for an application that signs nothing', sealed(PAYLOAD), { protection: 'sealed' }, { unsigned: true }],
  ['sealed in chunks', [first, second, third].join('; '), { ...ACCEPTED, protection: 'sealed', pieces: 3, secret: 0 }],
  ['sealed in chunks that came in another order', [third, first, second].join('; '), { ...ACCEPTED, pieces: 3 }],
  ['not signed', `koa.sess=${value}`, { ...ACCEPTED, protection: 'unsigned', mode: 'cookie' }, { unsigned: true }],
  ['not signed, as a value alone', value, { ...ACCEPTED, protection: 'unsigned' }, { unsigned: true }],
  ['not signed, beside a signature', tampered(signed(PAYLOAD)), { protection: 'unsigned' }, { unsigned: true }],
  ['a signed id', signedValue('7b1d1d3c-id'), { ...ACCEPTED, protection: 'signed', mode: 'stored', secret: 0 }],
  ['an id that an older secret signed', signedValue('id', { secret: OLDER }), { mode: 'stored', secret: 1 }],
  [
    'a signed id that looks sealed',
    signedValue('AQ'.repeat(22)),
    { ...ACCEPTED, protection: 'signed', mode: 'stored' },
  ],
  ['a sealed id', sealed(0, { purpose: 'id', text: 'the-id' }), { ...ACCEPTED, protection: 'sealed', mode: 'stored' }],
  ['an id that an older secret sealed', sealed(0, { purpose: 'id', text: 'id', secret: OLDER }), { secret: 1 }],
  [
    'an id that is not signed',
    'koa.sess=id',
    { ...ACCEPTED, protection: 'unsigned', mode: 'stored' },
    { unsigned: true },
  ],
]

const refusals: readonly Row[] = [
  ['a session that nobody signed', `koa.sess=${value}`, { ...refused('signature'), protection: 'unsigned' }],
  ['a value alone that nobody signed', value, { ...refused('signature'), protection: 'unsigned' }],
  ['an empty signature', `koa.sess=${value}; koa.sess.sig=`, { ...refused('signature'), protection: 'unsigned' }],
  ['a foreign signature', signed(PAYLOAD, { secret: FOREIGN }), { ...refused('signature'), protection: 'signed' }],
  ['a signed session that was changed', tampered(signed(PAYLOAD)), refused('signature')],
  ['a signed session that was cut off', cut(signed(PAYLOAD)), { ...refused('signature'), mode: 'cookie' }],
  ['a signature that was changed', changedLast(signed(PAYLOAD)), refused('signature')],
  ['a signature that was cut off', signed(PAYLOAD).slice(0, -1), refused('signature')],
  [
    'a signature for another name',
    signed(PAYLOAD, { key: 'b' }).replaceAll('b=', 'a='),
    refused('missing'),
    { key: 'b' },
  ],
  [
    'a session moved to another name',
    `a=${value}; a.sig=${signature('b', value, NEWEST)}`,
    refused('signature'),
    { key: 'a' },
  ],
  ['another name', signed(PAYLOAD), { ...refused('missing'), cookies: [] }, { key: 'sid' }],
  ['an empty cookie', 'koa.sess=; koa.sess.sig=', refused('missing')],
  ['an empty cookie alone', 'koa.sess=', refused('missing'), { unsigned: true }],
  ['an id that was changed', signedValue('id-1').replace('id-1', 'id-2'), { ...refused('signature'), mode: 'stored' }],
  [
    'a signed text that is cut off JSON',
    signedValue(encoded('{"user":')),
    { ...refused('undecodable'), mode: 'cookie' },
  ],
  ['a signed list', signedValue(encoded('[1]')), refused('undecodable')],
  ['a signed null', signedValue(encoded('null')), refused('undecodable')],
  ['a session that ended a millisecond ago', signed({ ...PAYLOAD, _expire: NOW - 1 }), refused('expired')],
  ['a sealed one that ended', sealed({ _expire: NOW - 1 }), { ...refused('expired'), protection: 'sealed' }],
  [
    'a foreign seal',
    sealed(PAYLOAD, { secret: FOREIGN }),
    { ...refused('signature'), protection: 'sealed', mode: undefined },
  ],
  ['a sealed session that was changed', changedLast(sealed(PAYLOAD)), { verdict: 'refused', protection: 'sealed' }],
  ['a sealed session that was cut off', cut(sealed(PAYLOAD)), { verdict: 'refused', protection: 'sealed' }],
  ['a seal for another name', sealed(PAYLOAD, { key: 'b' }).replace('b=', 'a='), refused('signature'), { key: 'a' }],
  ['a seal for another purpose', sealed(PAYLOAD, { purpose: 'csrf' }), refused('signature')],
  ['a seal around something else', sealed(0, { text: 'no JSON' }), refused('undecodable')],
  ['a seal around a list', sealed([PAYLOAD]), refused('undecodable')],
  ['a seal with the version of another', sealed(PAYLOAD).replace(/=A./, '=Ag'), refused('signature')],
  ['an empty sealed id', sealed(0, { purpose: 'id', text: '' }), refused('undecodable')],
  [
    'a foreign seal around nothing',
    sealed(0, { secret: FOREIGN, text: '' }),
    { protection: 'sealed', mode: undefined },
  ],
  ['an id that begins as a seal does', 'koa.sess=AQ-short', { ...refused('signature'), mode: 'stored' }],
  ['a missing last chunk', [first, second].join('; '), { ...refused('missing'), pieces: 3 }],
  ['a missing second chunk', [first, third].join('; '), { ...refused('missing'), pieces: 3 }],
  ['a missing first chunk', [second, third].join('; '), { ...refused('missing'), pieces: 1 }],
  ['a chunk of another session', [first, other[1], third].join('; '), { verdict: 'refused', protection: 'sealed' }],
  ['a chunk alone', first.slice('koa.sess='.length), { ...refused('missing'), pieces: 3 }],
  [
    'chunks, for an application that signs nothing',
    [first, other[1], third].join('; '),
    refused('signature'),
    { unsigned: true },
  ],
]

const withoutSecrets: readonly Row[] = [
  [
    'a signed session is read, and not verified',
    signed(PAYLOAD),
    { reason: 'secrets', mode: 'cookie', expires: NOW + HOUR },
  ],
  ['a signed id is not verified', signedValue('id'), { reason: 'secrets', mode: 'stored' }],
  [
    'a sealed session stays shut',
    sealed(PAYLOAD),
    { reason: 'secrets', protection: 'sealed', mode: undefined, data: undefined },
  ],
  [
    'one that has expired is not called so',
    signed({ ...PAYLOAD, _expire: 0 }),
    { verdict: 'unknown', reason: 'secrets' },
  ],
  ['one that nobody signed is refused all the same', value, refused('signature')],
  ['one that needs none is accepted', value, ACCEPTED, { unsigned: true }],
]

const sizes: readonly Row[] = [
  [
    '4096 bytes are accepted',
    signedValue('x'.repeat(4088)),
    { ...ACCEPTED, cookies: [{ name: 'koa.sess', bytes: 4096 }] },
  ],
  [
    '4097 bytes are not',
    signedValue('x'.repeat(4089)),
    { ...refused('size'), cookies: [{ name: 'koa.sess', bytes: 4097 }] },
  ],
  [
    'too many are explained',
    signed({ ...PAYLOAD, big: 'x'.repeat(5000) }),
    { ...refused('size'), mode: 'cookie', secret: 0 },
  ],
  ['too many say so, whoever signed them', signedValue('x'.repeat(4089), { secret: FOREIGN }), refused('size')],
  ['each chunk counts for itself', chunked({ big: 'x'.repeat(7000) }, 4080).join('; '), { ...ACCEPTED, pieces: 3 }],
  ['a chunk may be too large', chunked({ big: 'x'.repeat(7000) }, 4095).join('; '), { ...refused('size'), pieces: 3 }],
]

const headers: readonly Row[] = [
  ['among other cookies', `a=1; ${signed(PAYLOAD)}; b="x"`, ACCEPTED],
  ['without spaces', `a=1;${signed(PAYLOAD).replace('; ', ';')}`, ACCEPTED],
  ['with the name of the header', `Cookie: ${signed(PAYLOAD)}`, ACCEPTED],
  ['as curl prints it', `> cookie: ${signed(PAYLOAD)}\r\n`, ACCEPTED],
  [
    'in lines of Set-Cookie',
    `Set-Cookie: ${signed(PAYLOAD).replace('; ', '; path=/; httponly\nset-cookie: ')}; path=/`,
    ACCEPTED,
  ],
  ['in lines of Set-Cookie without the name', signed(PAYLOAD).replace('; ', '; path=/\n'), ACCEPTED],
  [
    'in a line of Set-Cookie whose path is not the cookie',
    'Set-Cookie: a=1; path=/x',
    refused('missing'),
    { key: 'path' },
  ],
  ['in quotes', signed(PAYLOAD).replace(value, `"${value}"`), ACCEPTED],
  ['as the first of two of its name', `${signed(PAYLOAD)}; koa.sess=x`, { ...ACCEPTED, ignored: 1 }],
  ['but not as the second', `koa.sess=x; ${signed(PAYLOAD)}`, { ...refused('signature'), ignored: 1 }],
  ['but not under a name that only ends so', `x${signed(PAYLOAD)}`, refused('missing')],
  ['but not in nothing', '', { ...refused('missing'), ignored: 0 }],
  ['but not in a text without cookies', 'no cookie; at all', refused('missing')],
]

const tables = { modes, refusals, withoutSecrets, sizes, headers }
const titles: Record<keyof typeof tables, string> = {
  modes: 'is recognised',
  refusals: 'is refused',
  withoutSecrets: 'without secrets',
  sizes: 'of the size',
  headers: 'a session is found',
}

for (const [name, rows] of Object.entries(tables)) {
  for (const [claim, text, expected, options] of rows) {
    test(`${titles[name as keyof typeof tables]}: ${claim}`, () => {
      const secrets = name === 'withoutSecrets' ? [] : SECRETS
      const report = inspected(text, { secrets, ...options })
      const found = Object.fromEntries(Object.keys(expected).map(key => [key, report[key as keyof Report]]))
      assert.deepEqual(found, expected)
    })
  }
}

test('the lifetime is what the payload says, where it says something', async t => {
  type Lifetime = Pick<Report, 'created' | 'expires' | 'maxAge' | 'fresh' | 'dataVersion'>
  const none = { created: undefined, expires: undefined, maxAge: undefined, fresh: undefined, dataVersion: undefined }
  const rows: ReadonlyArray<readonly [claim: string, payload: object, expected: Lifetime]> = [
    ['as 7.x saves it', { _expire: NOW, _maxAge: HOUR }, { created: NOW - HOUR, expires: NOW, maxAge: HOUR }],
    ['until the browser closes', { _session: true }, { maxAge: 'session' }],
    ['nothing', { user: 'ada' }, {}],
    [
      'when it was made',
      { _meta: { created: 5 }, _expire: NOW, _maxAge: HOUR },
      { created: 5, expires: NOW, maxAge: HOUR },
    ],
    ['when somebody signed in', { _session: true, _meta: { fresh: 7 } }, { maxAge: 'session', fresh: 7 }],
    ['the version of the data', { _session: true, _meta: { dataVersion: 2 } }, { maxAge: 'session', dataVersion: 2 }],
    ['a version that is none', { _session: true, _meta: { dataVersion: '2' } }, { maxAge: 'session' }],
    ['an end alone', { _expire: NOW }, { expires: NOW }],
    ['no numbers', { _expire: 'x', _maxAge: [], _meta: { created: '1', fresh: {} } }, {}],
    ['no object beside it', { _meta: 'created' }, {}],
    ['null beside it', { _meta: null }, {}],
    ['a lifetime that is none', { _expire: NOW, _maxAge: -1 }, { expires: NOW }],
    ['an end that is no date', { _expire: 1e308 }, { expires: 1e308 }],
  ]
  for (const [claim, payload, expected] of rows) {
    await t.test(claim, () => {
      const { created, expires, maxAge, fresh, dataVersion } = inspected(sealed(payload))
      assert.deepEqual({ created, expires, maxAge, fresh, dataVersion }, { ...none, ...expected })
    })
  }
})

test('an end beyond every number is not reported, and ends it or not as the middleware has it', () => {
  const never = inspected(sealed(0, { text: '{"_expire":1e999}' }))
  const over = inspected(sealed(0, { text: '{"_expire":-1e999}' }))
  assert.deepEqual([never.verdict, never.expires], ['accepted', undefined])
  assert.deepEqual([over.reason, over.expires], ['expired', undefined])
})

test('the values and the id are in a report only where they are to be shown', () => {
  const texts = [
    signed(PAYLOAD),
    sealed(PAYLOAD),
    signedValue('the-very-id'),
    sealed(0, { purpose: 'id', text: 'the-very-id' }),
  ]
  for (const text of texts) assert.doesNotMatch(JSON.stringify(inspected(text)), /lovelace|123456789|the-very-id/)
  const [inCookie, isSealed, id, sealedId] = texts.map(text => inspected(text, { show: true }))
  for (const report of [inCookie, isSealed]) {
    assert.deepEqual(
      report?.data?.map(({ name, value }) => [name, value]),
      [
        ['user', 'ada-lovelace'],
        ['n', 123456789],
      ],
    )
  }
  assert.deepEqual([id?.id, sealedId?.id], ['the-very-id', 'the-very-id'])
})

test('the size of data is in bytes', () => {
  assert.equal(inspected(sealed({ ü: 1 })).data?.[0]?.bytes, 6)
})

test('data that JSON.stringify() has no stack for is no session, and no exception', () => {
  const text = `{"a":${'['.repeat(3500)}${']'.repeat(3500)}}`
  const { reason, data } = inspected(sealed(0, { text }))
  assert.deepEqual([reason, data], ['size', undefined])
})

test('names that lead to a prototype are data like others', () => {
  const text = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":2}'
  const report = inspected(sealed(0, { text }), { show: true })
  assert.deepEqual(report.data?.map(({ name }) => name).sort(), ['__proto__', 'constructor', 'toString'])
  assert.equal(report.verdict, 'accepted')
  assert.equal(Reflect.get({}, 'polluted'), undefined)
  const meta = inspected(sealed(0, { text: '{"_meta":{"__proto__":{"created":1}}}' }))
  assert.equal(meta.created, undefined)
})

test('what 7.0.2 really writes is explained', async t => {
  const page = { '/': (ctx: { session: object }) => void Object.assign(ctx.session, { user: 'ada', cart: [1, 2, 3] }) }
  for (const [mode, options] of [
    ['cookie', {}],
    ['stored', { store: new MapStore() }],
  ] as const) {
    const { visitor } = await serve(t, app => packages['7.0.2'](options, app), page)
    await visitor.get('/')
    const header = [...visitor.jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const report = inspected(header, { secrets: ['secret of the next', 'newest secret'], now: Date.now() })
    assert.deepEqual([report.verdict, report.mode, report.protection, report.secret], ['accepted', mode, 'signed', 1])
    if (mode === 'stored') continue
    assert.deepEqual(
      report.data?.map(({ name }) => name),
      ['cart', 'user'],
    )
    assert.ok(Math.abs(Number(report.created) - Date.now()) < 30_000)
  }
})
