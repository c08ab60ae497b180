/*
 * Cookies that applications really gave out, and who is signed in by a header: told by a parser of its own, which
 * splits where the middleware searches, so that the two have to agree.
 */
import { randomBytes } from 'node:crypto'
import { memoryStore } from 'koa-session/memory'
import { pairOf } from '../../test/support/set-cookie.mjs'
import { KEY, NOW, SECRETS, serve } from './application.mjs'

const now = () => NOW
const store = () => memoryStore({ max: 1_000_000, now })
const idStores = { signed: store(), sealed: store() }
const sealed = { seal: true }
const signedId = { store: idStores.signed }
const sealedId = { ...sealed, store: idStores.sealed }

async function signIn(options, user, { keys, size = 0 } = {}) {
  const more = 'x'.repeat(size)
  const ask = serve({ now, ...options }, ctx => Object.assign(ctx.session, { user, more }), keys)
  const { status, lines } = await ask()
  if (status !== 200) throw new Error(`no cookie for ${user}`)
  return { user, pairs: lines.map(pairOf) }
}

/** Two users each, the second one's cookie by the older secret. */
async function twoOf(options, [one, other], size) {
  const older = { size, keys: SECRETS.slice(1) }
  return [await signIn(options, one, { size }), await signIn(options, other, older)]
}

const given = {
  signed: await twoOf({}, ['ada', 'bob']),
  sealed: await twoOf(sealed, ['cyd', 'dee']),
  two: await twoOf({ ...sealed, chunks: true }, ['eve', 'fay'], 3500),
  three: await twoOf({ ...sealed, chunks: 3 }, ['gus', 'hal'], 7500),
  signedId: await twoOf(signedId, ['ian', 'joy']),
  sealedId: await twoOf(sealedId, ['kim', 'lou']),
}
const genuineOf = (...kinds) => kinds.flatMap(kind => given[kind])

/** How sessions are carried: the options, and the cookies that are good there. */
export const modes = {
  signed: { options: {}, genuine: genuineOf('signed') },
  sealed: { options: sealed, genuine: genuineOf('sealed') },
  'in two pieces': { options: { ...sealed, chunks: true }, genuine: genuineOf('sealed', 'two') },
  'in three pieces': { options: { ...sealed, chunks: 3 }, genuine: genuineOf('sealed', 'two', 'three') },
  'sealed, signed accepted': { options: { seal: { acceptSigned: true } }, genuine: genuineOf('sealed', 'signed') },
  'in pieces, signed accepted': {
    options: { seal: { acceptSigned: true }, chunks: true },
    genuine: genuineOf('sealed', 'two', 'signed'),
  },
  'a signed id': { options: signedId, genuine: genuineOf('signedId') },
  'a sealed id': { options: sealedId, genuine: genuineOf('sealedId') },
}

/** What is good elsewhere: for another secret, another name, another purpose. */
const elsewhere = [
  await signIn({}, 'mallory', { keys: [randomBytes(32)] }),
  await signIn({ seal: true }, 'mallory', { keys: [randomBytes(32)] }),
  ...(
    await Promise.all([{ key: 'other' }, { key: 'other', seal: true }].map(options => signIn(options, 'mallory')))
  ).map(({ user, pairs }) => ({ user, pairs: pairs.map(([name, value]) => [name.replace('other', KEY), value]) })),
]

const all = [...genuineOf(...Object.keys(given)), ...elsewhere]
/** Every cookie that is good somewhere, as pairs of name and value. */
export const everyPair = all.flatMap(({ pairs }) => pairs)
/** The same, as what belongs together. */
export const everyCookie = all.map(({ pairs }) => pairs.map(pair => pair.join('=')).join('; '))

/** What browsers keep, in bytes: what is larger was not sent by the middleware. */
const LARGEST = 4096
/** How many values of one name are looked at. */
const MOST = 4

/**
 * Who is signed in by `header`: the first good value of the cookie counts, sealed ones before signed ones. A signature
 * may be any of those that are there; of a piece that belongs to a value the first counts.
 */
export function holderIn(header, { genuine }) {
  const cookies = header.split(';').map(part => part.replace(/^ +/, ''))
  const valuesOf = name =>
    cookies
      .filter(cookie => cookie.startsWith(`${name}=`))
      .slice(0, MOST)
      .map(cookie => cookie.slice(name.length + 1))
      .map(value => (value.startsWith('"') ? value.slice(1, -1) : value))
      .filter(value => name.length + value.length <= LARGEST)
  const isThere = ([name, value]) => {
    const values = valuesOf(name)
    return name.endsWith('.sig') ? values.includes(value) : values.find(one => one !== '') === value
  }
  const isSigned = ({ pairs }) => pairs.some(([name]) => name.endsWith('.sig'))
  const holders = valuesOf(KEY).flatMap(value =>
    genuine.filter(({ pairs: [[, first], ...others] }) => first === value && others.every(isThere)),
  )
  return (holders.find(one => !isSigned(one)) ?? holders[0])?.user
}
