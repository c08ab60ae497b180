import { promised } from '../async.ts'
import { orError } from './property-error.ts'

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
  /** The last one that is under way. */
  #last: Promise<void> | undefined

  /** `first` is under way. */
  constructor(worker: { work(piece: Piece): void | Promise<void> }, first?: Promise<void>) {
    this.#worker = worker
    if (first) this.#follow(first)
  }

  /** Whether a piece is under way. */
  get isBusy(): boolean {
    return this.#last !== undefined
  }

  /** Does `piece` when what came before is done, whether that failed or not: at once when there is none. */
  turn(piece: Piece): void | Promise<void> {
    const done = this.#last ? this.#last.then(() => this.#worker.work(piece)) : this.#worker.work(piece)
    if (done) this.#follow(done)
    return done
  }

  #follow(piece: Promise<void>): void {
    const end = () => {
      if (this.#last === last) this.#last = undefined
    }
    const last: Promise<void> = piece.then(end, end)
    this.#last = last
  }

  /** The same, where nobody may be waiting for it. */
  add(piece: Piece): Promise<void> {
    const done = new Watched<void>((resolve, reject) => {
      promised(() => this.turn(piece)).then(resolve, error => reject(orError(error)))
    })
    this.#pieces ??= new Set()
    const pieces = this.#pieces.add(done)
    done.finished.then(isGood => isGood && pieces.delete(done))
    return done
  }

  /** Waits for what was added. Rejects with the first error that nobody waited for. */
  async settle(): Promise<void> {
    while (this.#last) await this.#last
    if (!this.#pieces) return
    for (const piece of this.#pieces) if (!piece.isAwaited) await piece
  }
}
