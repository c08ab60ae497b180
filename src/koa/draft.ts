import type { Members } from '../session/members.ts'
import { fillFrom, Session } from '../session/session.ts'
import type { Scope } from './scope.ts'

/** A session apart, with the data that are in `members`. */
export function draftOf(scope: Scope, members: Members): Session {
  const draft = new Session(scope, false)
  fillFrom(draft, members)
  return draft
}
