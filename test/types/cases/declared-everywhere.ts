// What is declared once holds for every entry, whichever format its types are in.

import type { ReadSession } from 'koa-session'
import { openSession } from 'koa-session/open'

declare module 'koa-session' {
  interface SessionData {
    userId?: string
  }
}

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

export async function userOf(cookie: string): Promise<string | undefined> {
  const { session } = await openSession(cookie, { subject: data => data.userId })
  const isTyped: Same<NonNullable<typeof session>['userId'], string | undefined> = true
  const read: ReadSession | undefined = session
  // @ts-expect-error: misspelled
  session?.usrId
  return isTyped ? read?.userId : undefined
}
