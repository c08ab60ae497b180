/** What a list of recency holds: it has its neighbours in itself, so that nothing is allocated and nothing searched. */
export interface Linked<Self> {
  older: Self | undefined
  newer: Self | undefined
}

/**
 * Entries in the order in which they were used. A list of its own: to find the first key of a Map takes longer the more
 * were deleted before it.
 */
export class Recency<Entry extends Linked<Entry>> {
  /** The one that was not used for longest. */
  oldest: Entry | undefined
  #newest: Entry | undefined

  /** Adds what is in no list. */
  append(entry: Entry): void {
    entry.older = this.#newest
    if (this.#newest) this.#newest.newer = entry
    else this.oldest = entry
    this.#newest = entry
  }

  detach(entry: Entry): void {
    const { older, newer } = entry
    if (older) older.newer = newer
    else this.oldest = newer
    if (newer) newer.older = older
    else this.#newest = older
    // One that is gone, and was not collected yet, would keep alive all that came after it.
    entry.older = entry.newer = undefined
  }

  use(entry: Entry): void {
    if (entry === this.#newest) return
    this.detach(entry)
    this.append(entry)
  }
}
