import { SessionError } from '../errors.ts'

/** `value`, where nothing can be waited for: a promise is `ERR_SESSION_ASYNC`, naming the option that gave it. */
export function refusePromise<Value>(value: Value, option: string): Value {
  if (!isPromise(value)) return value
  // Its rejection would otherwise end the process.
  value.then(ignore, ignore)
  throw new SessionError('ERR_SESSION_ASYNC', `${option} gave a promise where it can not be awaited; let it be sync`)
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

/** A promise that knows whether anybody waits for it, and whose rejection never ends the process. */
class Watched<Value> extends Promise<Value> {
  /** What is derived from it need not know. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise
  }

  isAwaited = false
  /** Resolves when it is settled, either way. */
  readonly finished: Promise<void> = super.then(ignore, ignore)

  static of<Value>(work: Promise<Value>): Watched<Value> {
    return new Watched<Value>(resolve => resolve(work))
  }

  // biome-ignore lint/suspicious/noThenProperty: a promise has one, and it is how it learns that somebody waits
  override then<Fulfilled = Value, Rejected = never>(
    onFulfilled?: ((value: Value) => Fulfilled | PromiseLike<Fulfilled>) | null,
    onRejected?: ((reason: unknown) => Rejected | PromiseLike<Rejected>) | null,
  ): Promise<Fulfilled | Rejected> {
    this.isAwaited = true
    return super.then(onFulfilled, onRejected)
  }
}

/** Work that is done one piece after the other. */
export class Queue {
  readonly #pieces: Watched<void>[] = []
  #last: Promise<void> | undefined

  /** Does `work` when what was added before is done, whether that failed or not: at once when there is none. */
  add(work: () => void | Promise<void>): Promise<void> {
    const piece = Watched.of(this.#last ? this.#last.then(work) : attempt(work))
    this.#pieces.push(piece)
    this.#last = piece.finished
    return piece
  }

  /** Waits for all of it. Rejects with the first error that nobody waited for. */
  settle(): Promise<void> | undefined {
    return this.#last?.then(async () => {
      for (const piece of this.#pieces) if (!piece.isAwaited) await piece
    })
  }
}

async function attempt(work: () => void | Promise<void>): Promise<void> {
  await work()
}

function ignore(): void {}
