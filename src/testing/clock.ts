/** A clock that stands still until it is told to go on. */
export interface ManualClock {
  /** The time, in milliseconds since the epoch. It may be passed on as it is: `{ now: clock.now }`. */
  readonly now: () => number
  /** Lets `ms` milliseconds pass at once. */
  readonly advance: (ms: number) => void
}

/** A clock that begins at `start`, in milliseconds since the epoch. Default: the 14th of November 2023. */
export function manualClock(start = 1_700_000_000_000): ManualClock {
  let time = start
  return {
    now: () => time,
    advance: ms => {
      time += ms
    },
  }
}
