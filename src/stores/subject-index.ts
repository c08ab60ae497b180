/** Which entries belong to a subject: whoever has none is in no list. */
export class SubjectIndex<Entry extends { readonly record: { readonly subject?: string | undefined } }> {
  readonly #entries = new Map<string, Set<Entry>>()

  of(subject: string): Iterable<Entry> {
    return this.#entries.get(subject) ?? []
  }

  count(subject: string): number {
    return this.#entries.get(subject)?.size ?? 0
  }

  add(entry: Entry): void {
    const { subject } = entry.record
    if (subject === undefined) return
    const known = this.#entries.get(subject)
    if (known) known.add(entry)
    else this.#entries.set(subject, new Set([entry]))
  }

  /** Before the record says another subject. */
  remove(entry: Entry): void {
    const { subject } = entry.record
    if (subject === undefined) return
    const known = this.#entries.get(subject)
    known?.delete(entry)
    if (known?.size === 0) this.#entries.delete(subject)
  }
}
