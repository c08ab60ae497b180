/*
 * What has to hold of every input. Each property has a title that is a claim, inputs, and a check that throws where
 * the claim is false and counts what happened by a word: a run in which nobody was ever signed
 * in, or no option ever refused, would prove nothing.
 */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { memoryStore } from 'koa-session/memory'
import { headerFrom, pairOf } from '../../test/support/set-cookie.mjs'
import { assertUntouched, KEY, NOW, serve, sessionPrototype } from './application.mjs'
import { holderIn, modes } from './genuine.mjs'
import {
  anyKeys,
  options as anyOptions,
  appKeys,
  cookieText,
  header,
  id,
  payload,
  record,
  signingSecret,
  unsigned,
  values,
} from './inputs.mjs'

const now = () => NOW

/** The names that a payload must not take: those of the session's own members, as far as 7.x reserves them. */
const reserved = Object.getOwnPropertyNames(sessionPrototype).filter(
  name => !['constructor', 'createdAt', 'isFresh'].includes(name),
)

function assertIntact(session) {
  assert.equal(Object.getPrototypeOf(session), sessionPrototype)
  for (const name of reserved) assert.ok(!Object.hasOwn(session, name), `the session has a ${name} of its own`)
}

function assertServed({ status, errors }) {
  assert.deepEqual({ status, errors: errors.map(String) }, { status: 200, errors: [] })
}

/** An application that tells whose session it has, and then reads, changes or throws it away. */
function teller(options) {
  let seen
  let isNew
  let act
  const ask = serve({ now, ...options }, ctx => {
    assertIntact(ctx.session)
    seen = ctx.session.user
    isNew = ctx.session.isNew
    return act(ctx)
  })
  return async (cookie, doing) => {
    seen = undefined
    act = doing
    return { ...(await ask(cookie)), seen, isNew }
  }
}

const READ = () => {}
const WRITE = ctx => {
  ctx.session.views = (ctx.session.views ?? 0) + 1
}

function signedInBy(mode, inputs, count) {
  const ask = teller(mode.options)
  const asRolling = teller({ ...mode.options, rolling: true })
  return fc.asyncProperty(inputs, fc.constantFrom(0, 1, 2), async (cookie, how) => {
    const expected = holderIn(cookie, mode)
    const answer = await (how === 2 ? asRolling : ask)(cookie, how === 1 ? WRITE : READ)
    assertServed(answer)
    assert.equal(answer.seen, expected)
    // What was written is the same session to the next request, whatever else the first one had brought.
    if (how === 1) assert.equal((await ask(headerFrom(answer.lines), READ)).seen, expected)
    assertUntouched()
    count(expected === undefined ? 'nobody' : 'signed in')
  })
}

const unsignedOptions = {
  '': {},
  ', rolling': { rolling: true },
  ', renewed': { renew: true },
  ', with an absolute end': { absoluteTimeout: 1000, renew: 500 },
  ', until the browser closes': { maxAge: 'session' },
}

function anybodysCookie(options, count) {
  const ask = teller({ ...options, signed: false })
  return fc.asyncProperty(unsigned, fc.boolean(), async (cookie, isRead) => {
    const answer = await ask(cookie, isRead ? READ : WRITE)
    assertUntouched()
    // Who may write a cookie that is not signed may fill it, so that what the handler adds has no room.
    const isFull = !isRead && answer.errors[0]?.code === 'ERR_SESSION_TOO_LARGE'
    if (!isFull) assertServed(answer)
    count(isFull ? 'too large' : answer.isNew ? 'new' : 'taken up')
  })
}

/** A store whose methods give `current()`, at once or later. */
function storeOf(current, isLate) {
  const give = () => (isLate() ? Promise.resolve(current()) : current())
  const get = give
  const destroy = () => {}
  const set = () => {}
  const own = { get, set, destroy }
  const keyed = { plain: own, read: give, create: () => true, patch: () => 'saved', touch: () => true }
  return { own, keyed: { ...own, ...keyed } }
}

const ACTS = [
  READ,
  WRITE,
  ctx => {
    ctx.session = null
  },
  ctx => ctx.session.regenerate({ keep: ['user', '__proto__'] }),
]

function anyStored(kind, inputs, count) {
  let current
  let isLate
  const store = storeOf(
    () => current,
    () => isLate,
  )[kind]
  const ask = teller({ store, signed: false, renew: true, absoluteTimeout: 1e9 })
  return fc.asyncProperty(inputs, fc.boolean(), fc.constantFrom(...ACTS), async (given, late, act) => {
    current = given
    isLate = late
    const answer = await ask(`${KEY}=an-id`, act)
    // A record is not read as a whole: that a key of it is nested deeper than JSON can write is seen at the end.
    const isTooDeep = kind === 'keyed' && answer.errors[0]?.code === 'ERR_SESSION_DATA'
    if (!isTooDeep) assertServed(answer)
    assertUntouched()
    count(isTooDeep ? 'too deep' : answer.isNew ? 'new' : 'taken up')
  })
}

function anyId(count) {
  let current
  let put
  const externalKey = { get: () => current, set: (_ctx, given) => (put = given) }
  const store = memoryStore({ max: 1000, now })
  const ask = teller({ store, externalKey })
  return fc.asyncProperty(id, async given => {
    current = given
    put = undefined
    const answer = await ask(undefined, WRITE)
    assertUntouched()
    const isId = typeof given === 'string' || given === undefined || given === null
    count(isId ? 'followed' : 'refused')
    if (!isId) return assert.match(String(answer.errors[0]?.code), /^ERR_SESSION_(ID|ASYNC)$/)
    assertServed(answer)
    assert.equal(typeof put, 'string')
    assert.notEqual(put, given, 'an id of the client was adopted')
  })
}

/**
 * What a developer's options may come to, when the application starts or when it serves: an error of ours with its
 * code, or, for what `encode` or `genid` made, that of Koa's cookies for what no cookie can hold, as in 7.x.
 */
function assertCoded(error) {
  const isKoas = error instanceof TypeError && error.message === 'argument value is invalid'
  const isOurs = error?.name === 'SessionError' && /^ERR_SESSION_/.test(error.code)
  assert.ok(isKoas || isOurs, `not an error of ours: ${error?.stack ?? error}`)
}

function started(given, keys) {
  try {
    return serve(given, ctx => void (ctx.session && WRITE(ctx)), keys)
  } catch (error) {
    assertCoded(error)
    return undefined
  }
}

function anyOptionsAtAll(count) {
  return fc.asyncProperty(anyOptions, appKeys, anyKeys, async (given, known, any) => {
    const names = Object.keys(Object(given))
    const were = names.map(name => given[name])
    const ask = started(given, given?.seal ? any : known)
    const answer = await ask?.()
    for (const error of answer?.errors ?? []) assertCoded(error)
    if (answer) assert.equal(answer.status === 200, answer.errors.length === 0)
    assert.ok(
      names.every((name, at) => Object.is(given[name], were[at])),
      'the options were written to',
    )
    assertUntouched()
    count(answer ? (answer.errors.length > 0 ? 'an error' : 'served') : 'refused')
  })
}

/** What is written is verified by the next request, too. */
function anySignature(count) {
  let value
  let seen
  const options = { now, encode: () => value, decode: text => ({ text }) }
  return fc.asyncProperty(signingSecret, cookieText, async (secret, text) => {
    const ask = serve(
      options,
      ctx => {
        seen = ctx.session.text
        ctx.session.more = 1
      },
      [secret],
    )
    value = text
    const { lines, errors } = await ask()
    assert.deepEqual(errors, [])
    const signature = createHmac('sha1', secret).update(`${KEY}=${text}`).digest('base64url')
    assert.deepEqual(
      lines.map(line => pairOf(line).join('=')),
      [`${KEY}=${text}`, `${KEY}.sig=${signature}`],
    )
    seen = undefined
    await ask(headerFrom(lines))
    count(seen === undefined ? 'not found' : 'verified')
  })
}

export const properties = [
  ...Object.entries(modes).flatMap(([title, mode]) => [
    [`any Cookie header signs in whose cookie it holds (${title})`, count => signedInBy(mode, header, count)],
    [`any values of its cookies do (${title})`, count => signedInBy(mode, values, count)],
  ]),
  ...Object.entries(unsignedOptions).map(([title, options]) => [
    `any unsigned cookie is a session or a new one${title}`,
    count => anybodysCookie(options, count),
  ]),
  ['any payload of a store is a session or a new one', count => anyStored('own', payload, count)],
  ['any record of a store is', count => anyStored('keyed', record, count)],
  ['any id of a client is followed by a new one', anyId],
  ['any options are taken or refused with a code', anyOptionsAtAll],
  ['any signature is the HMAC of node:crypto', anySignature],
]
