import { changesSince, NO_CHANGES, NO_MEMBERS } from '../session/members.ts'
import type { Members } from '../session/model.ts'
import { fillFrom, Session } from '../session/session.ts'
import { refusePromise } from './await.ts'
import type { Scope } from './scope.ts'

/** A session apart, with the data that are in `members`. */
export function draftOf(scope: Scope, members: Members): Session {
  const draft = new Session(scope, false)
  fillFrom(draft, members)
  return draft
}

/** Has `change` change a draft of `session`, which is as the draft then: where `change` throws, it is as it was. */
export function changeHere(scope: Scope, session: Session, change: (draft: Session) => unknown): void {
  const before = changesSince(NO_MEMBERS, session)?.set ?? NO_MEMBERS
  const draft = draftOf(scope, before)
  refusePromise(change(draft), 'update')
  const { set, unset } = changesSince(before, draft) ?? NO_CHANGES
  fillFrom(session, set)
  for (const name of unset) Reflect.deleteProperty(session, name)
}
