import { setImmediate } from 'node:timers/promises'
import { SessionError } from '../../errors.ts'
import { warnOnce } from '../../warnings.ts'
import type { Answer } from '../store.ts'

export interface SweeperOptions {
  /** How long it waits from one sweep to the next, give or take a tenth, in milliseconds; `false`: it does not sweep. */
  readonly every: number | false
  /** How many rows one call deletes at most. */
  readonly batch: number
  /** Told why a sweep of the timer's failed. Absent: a process warning, once. */
  readonly onError?: ((error: unknown) => void) | undefined
}

export interface Sweeper {
  sweep(): Promise<number>
  close(): Promise<void>
}

/** However long a database took for a batch, one does not wait longer for the next, nor for `close`. */
const LONGEST_PAUSE = 1000

/**
 * Deletes what has expired, by `deleteBatch`, which deletes at most `batch` rows and says how many there were. After
 * each full one it pauses for as long as that took, so that at most half of the time is the sweep's.
 */
export function startSweeper(
  deleteBatch: () => Answer<number>,
  { every, batch, onError = warn }: SweeperOptions,
): Sweeper {
  let timer: NodeJS.Timeout | undefined
  let isClosed = false
  let underWay: Promise<void> | undefined

  async function sweep(goesOn = () => true): Promise<number> {
    let sum = 0
    for (;;) {
      const began = performance.now()
      const count = await deleteBatch()
      sum += count
      if (count < batch || !goesOn()) return sum
      // Nobody waits for a sweep, and requests for the database, or, where it is in this process, for the event loop.
      await pause(Math.min(performance.now() - began, LONGEST_PAUSE))
      // A pause that was over before it began ends among the timers, before what has come is looked at.
      await setImmediate()
      if (!goesOn()) return sum
    }
  }

  async function sweepOnTime(): Promise<void> {
    try {
      await sweep(() => !isClosed)
    } catch (error) {
      void report(error, onError)
    }
    wait()
  }

  function wait(): void {
    if (every === false || isClosed) return
    // Processes that were started together do not sweep together.
    timer = setTimeout(() => {
      underWay = sweepOnTime()
    }, every * jitter())
    timer.unref()
  }

  wait()
  return {
    sweep: () => sweep(),

    async close() {
      isClosed = true
      clearTimeout(timer)
      await underWay
    },
  }
}

function pause(duration: number): Promise<void> {
  return new Promise(resolve => {
    setTimeout(resolve, duration)
  })
}

function jitter(): number {
  return 0.9 + Math.random() * 0.2
}

/** Nobody waits for a sweep of the timer's, so that what is thrown here would end the process. */
async function report(error: unknown, onError: (error: unknown) => unknown): Promise<void> {
  try {
    await onError(error)
  } catch (thrown) {
    warn(thrown)
  }
}

function warn(error: unknown): void {
  const what = 'sessions that have expired could not be deleted, and stay until the next try'
  warnOnce('KOA_SESSION_SWEEP', new SessionError('ERR_SESSION_STORE', what, { cause: error }).message)
}
