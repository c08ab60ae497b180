import { SessionError } from './errors.ts'

/** `value`, where nothing can be waited for: a promise is `ERR_SESSION_ASYNC`, naming the option that gave it. */
export function refusePromise<Value>(value: Value, option: string): Value {
  if (!isPromise(value)) return value
  // Its rejection would otherwise end the process.
  value.then(undefined, () => {})
  throw new SessionError('ERR_SESSION_ASYNC', `${option} gave a promise where it can not be awaited; let it be sync`)
}

export function isPromise<Value>(value: Value | PromiseLike<Value>): value is PromiseLike<Value> {
  // Not by way of Object(value), which makes an object of every string.
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function'
  return isObject && typeof (value as { then?: unknown }).then === 'function'
}

/** What `next` makes of `value`: at once, where that is no promise. To await what is there costs more than a small store. */
export function andThen<Value, Result>(
  value: Value | PromiseLike<Value>,
  next: (value: Value) => Result | Promise<Result>,
): Result | Promise<Result> {
  return isPromise(value) ? Promise.resolve(value).then(next) : next(value)
}

/** What `work` gives or throws, as a promise. */
export function promised<Value>(work: () => Value | Promise<Value>): Promise<Value> {
  try {
    return Promise.resolve(work())
  } catch (error) {
    return Promise.reject(error)
  }
}

/** A promise that knows whether anybody waits for it, and whose rejection never ends the process. */
class Watched<Value> extends Promise<Value> {
  /** What is derived from it need not know. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise
  }

  isAwaited = false
  /** Whether it was fulfilled, when it is settled. */
  readonly finished: Promise<boolean> = super.then(
    () => true,
    () => false,
  )

  // biome-ignore lint/suspicious/noThenProperty: a promise has one, and it is how it learns that somebody waits
  override then<Fulfilled = Value, Rejected = never>(
    onFulfilled?: ((value: Value) => Fulfilled | PromiseLike<Fulfilled>) | null,
    onRejected?: ((reason: unknown) => Rejected | PromiseLike<Rejected>) | null,
  ): Promise<Fulfilled | Rejected> {
    this.isAwaited = true
    return super.then(onFulfilled, onRejected)
  }
}

/** Work that is done one piece after the other, by a worker that does one piece at a time. */
export class Queue<Piece> {
  readonly #worker: { work(piece: Piece): void | Promise<void> }
  /** What was added, and is under way or has failed. */
  #pieces: Set<Watched<void>> | undefined
  #last: Promise<void> | undefined

  /** `first` is under way. */
  constructor(worker: { work(piece: Piece): void | Promise<void> }, first?: Promise<void>) {
    this.#worker = worker
    this.#last = first?.catch(() => {})
  }

  /** Does `piece` when what came before is done, whether that failed or not: at once when there is none. */
  turn(piece: Piece): void | Promise<void> {
    const done = this.#last ? this.#last.then(() => this.#worker.work(piece)) : this.#worker.work(piece)
    if (done) this.#last = done.catch(() => {})
    return done
  }

  /** The same, where nobody may be waiting for it. */
  add(piece: Piece): Promise<void> {
    const done = new Watched<void>(resolve => resolve(this.turn(piece)))
    this.#pieces ??= new Set()
    const pieces = this.#pieces.add(done)
    done.finished.then(isGood => isGood && pieces.delete(done))
    return done
  }

  /** Waits for what was added. Rejects with the first error that nobody waited for. */
  async settle(): Promise<void> {
    if (!this.#pieces) return
    await this.#last
    for (const piece of this.#pieces) if (!piece.isAwaited) await piece
  }
}
