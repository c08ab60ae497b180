// The option `upgrade`: what it is given is not known, and what it gives is data of the session.

import Koa from 'koa'
import session, { type CreateSessionOptions } from 'koa-session'
import { openSession } from 'koa-session/open'
import { z } from 'zod'

const app = new Koa()
interface Data {
  name: string
  visits: number
}

const options: CreateSessionOptions<Data> = {
  version: 2,
  upgrade(data, from) {
    const version: number = from
    // @ts-expect-error: nobody knows what it was
    data.first.length
    return { name: `${data.first} ${version}` }
  },
}
session(options, app)
session<Data>({ version: 1, upgrade: data => void Object.assign(data, { name: '' }) }, app)
session<Data>({ version: 1, upgrade() {} }, app)
session<Data>({ version: 1, upgrade: (data, from) => (from < 1 ? { name: String(data.first) } : undefined) }, app)
session({ version: null, upgrade: undefined }, app)
// @ts-expect-error: a number
session<Data>({ version: 1, upgrade: () => ({ visits: '1' }) }, app)
// @ts-expect-error: misspelled
session<Data>({ version: 1, upgrade: () => ({ nam: '1' }) }, app)
// @ts-expect-error: can not be awaited
session<Data>({ version: 1, upgrade: async () => ({ name: '1' }) }, app)
// @ts-expect-error: an object, or nothing
session<Data>({ version: 1, upgrade: () => 'a' }, app)
// @ts-expect-error: a number
session<Data>({ version: '1', upgrade() {} }, app)

// The schema says what it gives.
const schema = z.object({ name: z.string(), visits: z.number().optional() })
app.use(session({ schema, version: 2, upgrade: data => ({ name: String(data.first) }) }, app)).use(ctx => {
  const name: string | undefined = ctx.session.name
  ctx.session.visits = 1
  // @ts-expect-error: misspelled
  ctx.session.nam = name
})
// @ts-expect-error: a string
session({ schema, version: 2, upgrade: data => ({ name: 1, ...data }) }, app)
// @ts-expect-error: a string
session({ schema, version: 2, upgrade: () => ({ name: 1 }) }, app)

// What it gives does not say alone what the session holds.
app.use(session({ version: 2, upgrade: data => ({ name: String(data.first) }) }, app)).use(ctx => {
  ctx.session.other = 1
})

export const opened = openSession<Data>('', { version: 2, upgrade: data => ({ name: String(data.first) }) })
