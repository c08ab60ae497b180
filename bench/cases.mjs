/*
 * The cases live in a file of their own because the parent lists them and every child runs them: both
 * must mean the same thing by a name. A case is what the handler does plus what proves that it did it.
 */

export const user = '5f1d7c2e9a41'
const small = { user, role: 'editor', theme: 'dark', n: 1 }
const article = { id: 1000, name: 'an article of some name', price: 1990 }
const large = { ...small, cart: Array(34).fill(article) }

const read = ctx => ctx.session.user
const write = ctx => {
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

export const modes = ['cookie', 'store']
export const cases = {
  untouched: { seed: small, handle: () => undefined, accepts: value => value === undefined },
  'read 60 B': { seed: small, handle: read, accepts: isUser },
  'read 2 KB': { seed: large, handle: read, accepts: isUser },
  'write 60 B': { seed: small, handle: write, accepts: isCounted, answers: true, counts: true },
  'write 2 KB': { seed: large, handle: write, accepts: isCounted, answers: true, counts: true },
  'first visit': { handle: visit, accepts: isUser, answers: true },
  rolling: { seed: small, handle: read, accepts: isUser, answers: true, options: { rolling: true } },
}
