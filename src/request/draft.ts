import { refusePromise } from '../async.ts'
import { changesSince, NO_CHANGES, NO_MEMBERS } from '../session/members.ts'
import { draftOf, fillFrom, type Session } from '../session/session.ts'

/** Has `change` change a draft of `session`, which is as the draft then: where `change` throws, it is as it was. */
export function changeHere(session: Session, change: (draft: Session) => unknown): void {
  const before = changesSince(NO_MEMBERS, session)?.set ?? NO_MEMBERS
  const draft = draftOf(session, before)
  refusePromise(change(draft), 'update')
  const { set, unset } = changesSince(before, draft) ?? NO_CHANGES
  fillFrom(session, set)
  for (const name of unset) Reflect.deleteProperty(session, name)
}
