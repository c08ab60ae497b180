// `update()` gives a draft of the application's own type; `degraded` and the subject are typed as well.
import Koa from 'koa'
import session, { type Session } from 'koa-session'

interface Shop {
  userId?: string
  n?: number
}

const app = new Koa()
app.use(session<Shop>(app, { subject: data => data.userId, onStoreError: 'anonymous', storeTimeout: 100 }))

export async function count(shop: Session<Shop>): Promise<boolean> {
  await shop.update(draft => {
    draft.n = (draft.n ?? 0) + 1
    // @ts-expect-error: a number
    draft.n = 'one'
  })
  await shop.update(async draft => {
    draft.userId = 'ada'
  })
  // @ts-expect-error: not a string
  const degraded: string = shop.degraded
  return shop.degraded && degraded === ''
}

app.use(session<Shop>(app, { subject: data => data.n }))
// @ts-expect-error: a subject is a text or a number
app.use(session<Shop>(app, { subject: () => true }))

/** Data of that name takes the place of the method, as 7.x may have stored it. */
export function kept(old: Session<{ update: string }>): string | undefined {
  return old.update
}
