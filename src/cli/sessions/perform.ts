/** Does what a plan says, on a store that is open. */

import { isHidden } from '../../codec/subject.ts'
import { HANDLE } from '../arguments.ts'
import { endSessions, othersOf } from './ending.ts'
import { Failure } from './failure.ts'
import { type EndedShown, endedLine, HEAD, hashOf, lineOf, question, resultLine, type Shown } from './lines.ts'
import type { Opened } from './open.ts'
import type { Plan, Task } from './plan.ts'

/** What it needs of the process. */
export interface Desk {
  /** Prints on standard output, and waits until that is taken. */
  print(text: string): Promise<unknown>
  /** What a person answers. Absent: there is no terminal. */
  readonly ask?: ((question: string) => Promise<string>) | undefined
  /** Does what takes long, and meanwhile says so at a terminal; `done`: how much was done, 0 where nobody knows. */
  working<Result>(what: string, done: () => number, work: () => Promise<Result>): Promise<Result>
}

type Of<Name extends Task['name']> = Extract<Task, { readonly name: Name }>

/** Where a subject has no session, the owners of so many sessions are looked at. */
const LOOKED_AT = 100

/** Rejects with a `Failure` where it could not be done, and as the store does. */
export async function perform(plan: Plan, { make }: Opened, desk: Desk): Promise<unknown> {
  const { task, hashIds, seal, isJson } = plan
  let done = 0
  let printed: Promise<unknown> = Promise.resolve()
  const ended = (session: EndedShown) => {
    printed = printed.then(() => desk.print(endedLine(session)))
    // It is awaited at the end.
    printed.catch(() => undefined)
  }
  const onEnded = isJson ? ended : undefined
  const store = make({ hashIds, seal, onEnded }, swept => {
    done += swept.count
  })
  const byHandle = hashIds ? make({ hashIds: false, seal }) : undefined

  const subject = subjectOf(task)
  if (subject !== undefined) await refuseSealed(subject)

  switch (task.name) {
    case 'list':
      return list(task)
    case 'count':
      return report('count', await count(task.subject))
    case 'end':
      return end(task)
    case 'sweep':
      return report('deleted', await working('sweeping', async () => (await store.sweep?.()) ?? 0))
    case 'reseal':
      return report('resealed', await working('sealing anew', () => store.reseal()))
  }

  function working<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
    return desk.working(what, () => done, work)
  }

  async function report(name: Parameters<typeof resultLine>[0], count: number): Promise<void> {
    await printed
    await desk.print(resultLine(name, count, isJson))
  }

  function count(subject: string | undefined, except?: string): Promise<number> {
    return working('counting', async () => {
      if (subject === undefined) return store.count()
      return (await othersOf(store, subject, except)).length
    })
  }

  async function list({ subject, limit }: Of<'list'>): Promise<void> {
    let isEmpty = true
    for await (const session of found(subject, limit)) {
      // Then it is the id itself.
      if (!HANDLE.test(session.handle)) throw unhashed()
      if (isEmpty && !isJson) await desk.print(HEAD)
      isEmpty = false
      await desk.print(lineOf(session, isJson))
    }
    if (isEmpty && subject === undefined) await refuseUnhashed()
  }

  async function* found(subject: string | undefined, limit: number | undefined): AsyncIterable<Shown> {
    if (subject === undefined) yield* store.all({ limit })
    else for (const one of await store.list(subject, { limit })) yield { ...one, subjectHash: hashOf(subject) }
  }

  async function end({ which, isConfirmed }: Of<'end'>): Promise<void> {
    if (which.of !== 'handle' && !isConfirmed) {
      const { subject, except } = which.of === 'subject' ? which : {}
      const sessions = await count(subject, except)
      const answer = sessions > 0 ? await desk.ask?.(question(sessions)) : 'yes'
      if (!/^\s*y(es)?\s*$/i.test(answer ?? '')) throw new Failure('nothing was ended')
    }
    const stores = { store, byHandle, ended: (session: EndedShown) => onEnded?.(session) }
    const ending = () => endSessions(which, stores)
    // What is printed says how far it is.
    const sessions = await (onEnded ? ending() : working('ending sessions', ending))
    if (sessions === 0 && which.of === 'all') await refuseUnhashed()
    await report('ended', sessions)
  }

  /** Sessions under names that are no hashes are in no list: who has set `hashIds: false` would think that there are none. */
  async function refuseUnhashed(): Promise<void> {
    if (byHandle) for await (const _ of byHandle.all({ limit: 1 })) throw unhashed()
  }

  /** Without the secret that hid it, nobody is found by a subject: who forgot the secret would think that there are none. */
  async function refuseSealed(subject: string): Promise<void> {
    if ((await store.list(subject, { limit: 1 })).length > 0) return
    for await (const { subjectHash } of store.all({ limit: LOOKED_AT })) {
      if (subjectHash === undefined || !isHidden(subjectHash)) continue
      throw new Failure(
        'no session of this subject was found, and there are sessions whose subject is sealed with a secret that is not ' +
          'in KOA_SESSION_SEAL: set it to what the application gives the store as seal',
      )
    }
  }
}

function subjectOf(task: Task): string | undefined {
  if (task.name === 'end') return task.which.of === 'subject' ? task.which.subject : undefined
  return task.name === 'list' || task.name === 'count' ? task.subject : undefined
}

function unhashed(): Failure {
  return new Failure(
    'there are sessions whose ids are not hashed: if the application sets hashIds: false, give --plain-ids',
  )
}
