/** Work under names, one piece after the other for each name. It spares writers of one session most of their conflicts. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>()

  /** Does `work` when what came before under `name` is done, whether that failed or not. */
  take<Value>(name: string, work: () => Promise<Value>): Promise<Value> {
    const before = this.#last.get(name)
    const turn = before ? before.then(work, work) : work()
    this.#last.set(name, turn)
    const end = () => {
      if (this.#last.get(name) === turn) this.#last.delete(name)
    }
    turn.then(end, end)
    return turn
  }
}
