/** What subscribers of the tracing channels are given. */
import { channel } from 'node:diagnostics_channel'
import type { TestContext as Test } from 'node:test'
import type { SessionCommitMessage, SessionStoreMessage } from 'koa-session'

/** Of either channel. */
export type Message = Omit<SessionStoreMessage, 'operation' | 'outcome'> & {
  readonly operation: SessionStoreMessage['operation'] | SessionCommitMessage['operation']
  readonly outcome?: SessionStoreMessage['outcome'] | SessionCommitMessage['outcome']
}

export const PHASES = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const
/** What subscribers of a tracing channel are given while `t` runs, by phase, and as it was then. */
export function listen(t: Test, name: 'store' | 'commit') {
  const heard: { phase: string; message: Message }[] = []
  for (const phase of PHASES) {
    const one = channel(`tracing:koa-session:${name}:${phase}`)
    const note = (message: unknown) => heard.push({ phase, message: { ...(message as Message) } })
    one.subscribe(note)
    t.after(() => one.unsubscribe(note))
  }
  return {
    heard,
    phases: () => heard.map(({ phase }) => phase).join(' '),
    /** One for each operation, once it is over. */
    over: () =>
      heard
        .filter(({ phase, message }) => /^(end|asyncEnd)$/.test(phase) && message.duration !== undefined)
        .map(({ message }) => message),
  }
}

/** Each operation and its outcome. */
export const said = ({ over }: ReturnType<typeof listen>) =>
  over()
    .map(({ operation, outcome }) => `${operation} ${outcome}`)
    .join(', ')
