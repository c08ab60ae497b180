/*
 * Whether a request's time grows as its input does. Headers and stored data that could drive a careless parser to
 * go over the same text again and again are asked at a length, at four times that length and at four times as much
 * again: four times the time is linear, sixteen times quadratic. One of the two steps may be higher, where objects or
 * collections of another kind begin; what is quadratic shows in both. And a header is compared with an ordinary one.
 *
 * Times are the shortest of many, since whatever else runs on the machine can only add to one; and what looks slow is
 * measured again, up to six times as often, the shortest of all counting. So noise can hide a fault in one run of
 * many, but can't make one.
 */
import { KEY, NOW, serve } from './application.mjs'
import { everyPair } from './genuine.mjs'

/** Node takes 16 KB of headers: more is beyond what a client can send, and shows more clearly what grows. */
const LENGTH = 16_384
/** Linear is 4. */
const MOST_GROWTH = 10
/** So many times what an ordinary header of the same length takes: for cookies to be parsed, verified, cleared. */
const MOST_OF_NORMAL = 20
const ASKS = 25
/** What takes longer (ms) is asked less often. */
const BUDGET = 150
const ATTEMPTS = 6

const lengths = least => [least, 4 * least, 16 * least]
const filled = (text, length) => text.repeat(Math.ceil(length / text.length)).slice(0, length)
const [, longest] = everyPair.find(([, value]) => value.length > 3900)

const ORDINARY = length => filled('theme=dark; visits=a1b2c3d4e5f6; ', length)
/** Headers, by their length. */
const headers = {
  'many ;': length => filled(';', length),
  'many ; and spaces': length => filled('; ', length),
  'many =': length => filled('=', length),
  'many names': length => filled(`${KEY}; `, length),
  'many cookies of its name': length => filled(`${KEY}=; `, length),
  'many of its name in one cookie': length => `a=${filled(`${KEY}=`, length)}`,
  'many signatures': length => `${KEY}=a; a=${filled(`${KEY}.sig=`, length)}`,
  'many pieces': length => `${KEY}=2~a; a=${filled(`${KEY}.1=`, length)}`,
  'many announced pieces': length => filled(`${KEY}=9~; ${KEY}.1=a; `, length),
  'many beginnings of its name': length => filled('koa.ses', length),
  'many spaces': length => filled(' ', length),
  'spaces before its name': length => `a${filled(' ', length)}${KEY}=a`,
  'spaces before each of many names': length => filled(`;${' '.repeat(200)}a${' '.repeat(200)}${KEY}=`, length),
  'a ; and spaces before each of many names': length => filled(`;${' '.repeat(500)}x${KEY}=`, length),
  'a long value': length => `${KEY}=${filled('A', length)}; ${KEY}.sig=${filled('A', 27)}`,
  'a long signature': length => `${KEY}=AAAA; ${KEY}.sig=${filled('A', length)}`,
  'a long quoted value': length => `${KEY}="${filled('A', length)}"; ${KEY}.sig="A"`,
  'many quotes': length => `${KEY}=${filled('"', length)}`,
  'a genuine value and many cookies': length => `${KEY}=${longest}; ${filled('a=b; ', length)}`,
  'many genuine values': length => filled(`${KEY}=${longest}; ${KEY}.1=${longest}; `, length),
}

const applications = {
  signed: { options: {} },
  sealed: { options: { seal: true } },
  'in pieces, signed accepted': { options: { seal: { acceptSigned: true }, chunks: 3 } },
}

const text = (levels, open, middle, close) => `${open.repeat(levels)}${middle}${close.repeat(levels)}`
const members = (length, member) =>
  `{${Array.from({ length: Math.ceil(length / 16) }, (_, at) => `"${member(at)}":"a-value"`).join()}}`
/** JSON texts, by their length. */
const texts = {
  'deep lists': length => `{"a":${text(length / 2, '[', '', ']')}}`,
  'deep objects': length => text(length / 6, '{"a":', '1', '}'),
  'many members': length => members(length, at => `m${at}`),
  'many numbers as names': length => members(length, at => 2 ** 20 + at * 1000),
  'a long text': length => `{"a":"${filled('x', length)}"}`,
  'many escapes': length => `{"a":"${filled('\\u0000', Math.floor(length / 6) * 6)}"}`,
  'many beginnings of a lifetime': length => `{"a":"${filled('\\"_expire\\":1,', Math.floor(length / 14) * 14)}"}`,
  'a long lifetime': length => `{"_expire":${filled('1', length)},"_maxAge":1}`,
  'many empty objects': length => `{"a":[${filled('{},', Math.floor(length / 3) * 3)}1]}`,
}

function unsigned() {
  const ask = serve({ now: () => NOW, signed: false, rolling: true }, ctx => void ctx.session.user)
  return json => {
    const cookie = `${KEY}=${Buffer.from(json).toString('base64')}`
    return () => ask(cookie)
  }
}

const emptied = ctx => {
  for (const name of Object.keys(ctx.session)) if (name !== 'm1') delete ctx.session[name]
}

function stored(kind) {
  return json => {
    const payload = JSON.parse(json)
    const { _expire, _maxAge, ...data } = payload
    const record = {
      members: Object.fromEntries(Object.entries(data).map(([name, value]) => [name, textOf(value)])),
      lifetime: {},
    }
    const own = { get: () => payload, set() {}, destroy() {} }
    const keyed = { plain: own, read: () => record, create: () => true, patch: () => 'saved', touch: () => true }
    const ask = serve({ store: kind === 'keyed' ? { ...own, ...keyed } : own, signed: false }, emptied)
    return () => ask(`${KEY}=an-id`)
  }
}

/** For what is nested deeper than JSON can write: the text that it was read from is not at hand. */
function textOf(value) {
  try {
    return JSON.stringify(value)
  } catch {
    return '[]'
  }
}

/** The shortest time that `ask` took, in microseconds. */
async function shortest(ask, least = Number.POSITIVE_INFINITY) {
  let best = least
  const end = performance.now() + BUDGET
  for (let i = 0; i < ASKS && (i < 5 || performance.now() < end); i++) {
    const begin = performance.now()
    await ask()
    best = Math.min(best, (performance.now() - begin) * 1000)
  }
  return best
}

/** What `judge` makes of the times of `asks`, measured again as long as it finds them bad. */
async function measured(asks, judge) {
  let times = asks.map(() => undefined)
  for (let attempt = 1; ; attempt++) {
    for (const [at, ask] of asks.entries()) times = times.with(at, await shortest(ask, times[at]))
    const verdict = judge(times)
    if (verdict.isGood || attempt === ATTEMPTS) return verdict
  }
}

function verdictOf([once, fourfold, most, normal]) {
  const growth = Math.min(fourfold / once, most / fourfold)
  const share = normal === undefined ? 0 : once / normal
  const isGood = growth <= MOST_GROWTH && share <= MOST_OF_NORMAL
  return { growth, share, isGood }
}

/** The worst of `verdicts` tells for all; each bad one is named. */
function summary(title, verdicts) {
  const worst = of => verdicts.toSorted((one, other) => other[of] - one[of])[0]
  const bad = verdicts.filter(({ isGood }) => !isGood).map(({ name }) => name)
  const [growth, share] = [worst('growth'), worst('share')]
  const normal = share.share > 0 ? `; at most ${share.share.toFixed(1)} times the normal time (${share.name})` : ''
  const told = `${verdicts.length} kinds at most ${growth.growth.toFixed(1)} times as long for four times the length (${growth.name})${normal}`
  return { title, isGood: bad.length === 0, told: bad.length > 0 ? `${told}; bad: ${bad.join(', ')}` : told }
}

async function ofHeaders(ask) {
  const verdicts = []
  for (const [name, make] of Object.entries(headers)) {
    const cookies = [...lengths(LENGTH).map(make), ORDINARY(LENGTH)]
    const verdict = await measured(
      cookies.map(cookie => () => ask(cookie)),
      verdictOf,
    )
    verdicts.push({ ...verdict, name })
  }
  return verdicts
}

async function ofTexts(asker, length) {
  const verdicts = []
  for (const [name, make] of Object.entries(texts)) {
    const verdict = await measured(
      lengths(length).map(one => asker(make(one))),
      verdictOf,
    )
    verdicts.push({ ...verdict, name })
  }
  return verdicts
}

const write = ctx => {
  ctx.session.views = (ctx.session.views ?? 0) + 1
}

/** One after the other, each wanted growth: { title, isGood, told }. */
export async function* growths(isWanted) {
  const kinds = [
    ...Object.entries(applications).map(([name, { options }]) => [
      `time grows as a Cookie header does (${name})`,
      () => ofHeaders(serve({ now: () => NOW, ...options }, write)),
    ]),
    // Base64 is a third longer, and a cookie has 4096 bytes.
    ['time grows as an unsigned cookie does', () => ofTexts(unsigned(), 170)],
    ['time grows as the payload of a store does', () => ofTexts(stored('own'), LENGTH / 2)],
    ['time grows as the record of a store does', () => ofTexts(stored('keyed'), LENGTH / 2)],
  ]
  for (const [title, measure] of kinds) if (isWanted(title)) yield summary(title, await measure())
}
