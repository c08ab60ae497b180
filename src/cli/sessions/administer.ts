/** The command `sessions`: from what it is given to what the process ends with. */

import type { Values } from '../arguments.ts'
import { EXIT, UsageError } from '../usage.ts'
import { Failure, reasonOf } from './failure.ts'
import { type Load, type Opened, open } from './open.ts'
import { type Desk, perform } from './perform.ts'
import { type Plan, planOf } from './plan.ts'

/** What it needs of the process, and of the application's folder. */
export interface Admin extends Desk {
  readonly load: Load
  /** Aborted when a person interrupts the command. */
  interruption(): AbortSignal
}

interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Throws `UsageError`. */
export async function administer(
  values: Values,
  operands: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  admin: Admin,
): Promise<Outcome> {
  const plan = planOf(values, operands, environment, admin.ask !== undefined)
  try {
    await unlessInterrupted(admin.interruption(), closed => onStore(plan, admin, closed))
    return outcome(EXIT.done)
  } catch (error) {
    if (error instanceof UsageError) throw error
    // Whoever reads has read enough.
    if (Reflect.get(Object(error), 'code') === 'EPIPE') return outcome(EXIT.done)
    if (error instanceof Interruption) return outcome(EXIT.interrupted, 'interrupted: what was ended stays ended')
    return outcome(EXIT.failed, reasonOf(error, plan.place.url))
  }
}

class Interruption extends Error {}

/** Opens the store, does what is planned, closes. `closing` is given what closes it before that. */
async function onStore(plan: Plan, admin: Admin, closing: (close: Opened['close']) => void): Promise<void> {
  const opened = await open(plan.place, admin.load)
  closing(opened.close)
  try {
    await perform(plan, opened, { ...admin, print: text => admin.print(text).catch(unprinted) })
  } finally {
    await opened.close()
  }
}

/** Throws what kept it from being printed. Whoever reads may have read enough. */
function unprinted(error: unknown): never {
  const code = Reflect.get(Object(error), 'code')
  if (code === 'EPIPE') throw error
  throw new Failure(`standard output could not be written (${code}): what was ended stays ended`)
}

/** Rejects with an `Interruption` once what was opened is closed. */
async function unlessInterrupted(
  signal: AbortSignal,
  work: (closing: (close: Opened['close']) => void) => Promise<void>,
): Promise<void> {
  let close: Opened['close'] = () => undefined
  const interrupted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', async () => {
      // What is asked at the moment may make it fail.
      await Promise.resolve(close()).catch(() => undefined)
      reject(new Interruption())
    })
  })
  await Promise.race([
    work(given => {
      close = given
    }),
    interrupted,
  ])
}

function outcome(code: number, message?: string): Outcome {
  return { code, stdout: '', stderr: message === undefined ? '' : `koa-session: ${message}\n` }
}
