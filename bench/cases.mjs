/*
 * The cases live in a file of their own because the parent lists them and every child runs them: both
 * must mean the same thing by a name. A case is what the handler does, what proves that it did it, and
 * how much of 7.0.2's cost is allowed for it.
 */

export const user = '5f1d7c2e9a41'
export const small = { user, role: 'editor', theme: 'dark', n: 1 }
export const article = { id: 1000, name: 'an article of some name', price: 1990 }
export const large = { ...small, cart: Array(34).fill(article) }

export const read = ctx => ctx.session.user
export const write = ctx => {
  ctx.session.n = (ctx.session.n ?? 0) + 1
  return ctx.session.n
}
const visit = ctx => {
  ctx.session.user = user
  return user
}

const isUser = value => value === user
// With the session lost the counter would start over and stay at 1.
const isCounted = value => value >= 2

export const reading = { handle: read, accepts: isUser }
export const writing = { handle: write, accepts: isCounted, answers: true, counts: true }
export const visiting = { handle: visit, accepts: isUser, answers: true }

const ratios = (cookie, sealed, store) => ({
  cookie: { ratio: cookie },
  sealed: { ratio: sealed },
  store: { ratio: store },
})

// A sealed cookie is 8's alone: 7.0.2 merely signs beside it.
export const modes = ['cookie', 'sealed', 'store']
export const cases = {
  // In the cookie 7.0.2's own cost is too small for a ratio to it; larger batches tell it from nothing.
  untouched: {
    share: 4,
    seed: small,
    handle: () => undefined,
    accepts: value => value === undefined,
    targets: { cookie: { microseconds: 0.5 }, sealed: { microseconds: 0.5 }, store: { ratio: 1 } },
    mayBeGross: true,
  },
  'read 60 B': { ...reading, seed: small, targets: ratios(0.3, 0.45, 0.4) },
  'read 2 KB': { ...reading, seed: large, targets: ratios(0.4, 0.5, 0.5) },
  'write 60 B': { ...writing, seed: small, targets: ratios(0.28, 0.4, 0.4) },
  'write 2 KB': { ...writing, seed: large, targets: ratios(0.45, 0.5, 0.6) },
  'first visit': { ...visiting, targets: ratios(0.6, 0.75, 0.65) },
  rolling: {
    ...reading,
    seed: small,
    answers: true,
    options: { rolling: true },
    targets: ratios(0.3, 0.4, 0.4),
  },
}

// Of 7.0.2's bytes, in every case of these modes; what a sealed cookie allocates is shown, and not judged.
export const allocationTargets = { cookie: 0.45, store: 0.45 }

// A ratio above this is a gross regression: twice what most targets allow, and no noise reaches it.
export const grossRatio = 0.9
