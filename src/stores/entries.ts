import { type Linked, Recency } from './recency.ts'
import type { StoredRecord } from './store.ts'
import { SubjectIndex } from './subject-index.ts'

/** An object is a record as it is read: it is handed out, and another one takes its place when it changes. */
export interface Entry extends Linked<Entry> {
  /** The key that it was made under: that of a later request may hold on to all of the request's headers. */
  readonly name: string
  readonly createdAt: number
  /** Greater than that of all that were added before. */
  readonly place: number
  record: StoredRecord
  ttl: number
  expiresAt: number
  lane: Recency<Entry>
}

/** How many entries are looked at, one after the other, for one that has expired, before another one has to go. */
const LOOKS = 8

/**
 * Records in this process's memory, `max` of them. Beyond, one goes that has expired, if a look finds one. Otherwise the
 * entry goes that was not used for longest, of the first of these lanes that has one: tombstones; sessions without a
 * subject; those that a subject has beyond its share; the others. What a call costs does not grow with `max`.
 */
export class Entries {
  readonly #max: number
  /** How many sessions of a subject are in the last lane. */
  readonly #share: number
  readonly #now: () => number
  /** Told of what expired, tombstones too, and of sessions that were not used for longest. */
  readonly #gone: (entry: Entry, isExpired: boolean) => void
  readonly #byName = new Map<string, Entry>()
  readonly #sessions = new SubjectIndex<Entry>()
  readonly #tombstones = new SubjectIndex<Entry>()
  readonly #retired = new Recency<Entry>()
  readonly #anonymous = new Recency<Entry>()
  readonly #further = new Recency<Entry>()
  readonly #owned = new Recency<Entry>()
  readonly #lanes = [this.#retired, this.#anonymous, this.#further, this.#owned]
  #latest: Entry | undefined
  #places = 0
  /** It begins when there is no room left: before, it would keep alive each table that the map has outgrown. */
  #round: Iterator<Entry, undefined> | undefined

  constructor(max: number, now: () => number, gone: (entry: Entry, isExpired: boolean) => void) {
    this.#gone = gone
    this.#max = max
    this.#share = Math.max(2, max / 1000)
    this.#now = now
  }

  get size(): number {
    this.makeRoom()
    return this.#byName.size
  }

  /** What is there under `name` and has not expired, as the latest that was used. */
  find(name: string): Entry | undefined {
    const entry = this.#byName.get(name)
    if (!entry) return undefined
    if (isOver(entry, this.#now())) {
      this.#drop(entry, true)
      return undefined
    }
    if (entry.lane !== this.#further) entry.lane.use(entry)
    else {
      // Others of its subject may have ended since.
      this.#detach(entry)
      this.#attach(entry)
    }
    return entry
  }

  /** The tombstone under `name`. To ask for it is no use of it. */
  findRetired(name: string): Entry | undefined {
    const entry = this.#byName.get(name)
    return entry?.record.retiredAt === undefined ? undefined : entry
  }

  /** Adds what is not there. It may be one too many until `makeRoom` is called. */
  add(name: string, record: StoredRecord, ttl: number): void {
    const at = this.#now()
    const [lane, expiresAt] = [this.#anonymous, at + ttl]
    const place = ++this.#places
    const entry: Entry = {
      name,
      record,
      createdAt: at,
      place,
      ttl,
      expiresAt,
      lane,
      older: undefined,
      newer: undefined,
    }
    this.#byName.set(name, entry)
    this.#attach(entry)
    this.#latest = entry
  }

  change(entry: Entry, record: StoredRecord, ttl: number): void {
    const { subject, retiredAt } = entry.record
    const isMoved = record.subject !== subject || record.retiredAt !== retiredAt
    if (isMoved) this.#detach(entry)
    // Another object, since requests that read the last one still have it.
    entry.record = record
    if (isMoved) this.#attach(entry)
    entry.ttl = ttl
    entry.expiresAt = this.#now() + ttl
  }

  forget(entry: Entry): void {
    this.#detach(entry)
    this.#byName.delete(entry.name)
  }

  #drop(entry: Entry, isExpired: boolean): void {
    this.forget(entry)
    if (isExpired || entry.record.retiredAt === undefined) this.#gone(entry, isExpired)
  }

  /** The sessions of a subject: at most `limit`. */
  sessionsOf(subject: string, limit?: number): Entry[] {
    const now = this.#now()
    const found: Entry[] = []
    for (const entry of this.#sessions.of(subject)) {
      if (found.length === limit) break
      if (!isOver(entry, now)) found.push(entry)
    }
    return found
  }

  /** The names of its sessions and tombstones. */
  namesOf(subject: string): string[] {
    return [...this.#sessions.of(subject), ...this.#tombstones.of(subject)].map(({ name }) => name)
  }

  /** What has not expired, in the order in which it was added, behind a place. What is added meanwhile is among it. */
  *behind(place: number): Iterable<Entry> {
    for (const entry of this.#byName.values()) if (entry.place > place && !isOver(entry, this.#now())) yield entry
  }

  /** Forgets one entry where there is one too many, but not the one that was added last. */
  makeRoom(): void {
    if (this.#byName.size <= this.#max) return
    const now = this.#now()
    for (let looks = 0; looks < LOOKS && this.#byName.size > this.#max; looks++) this.#look(now)
    if (this.#byName.size <= this.#max) return
    const lane = this.#lanes.find(({ oldest }) => oldest && oldest !== this.#latest)
    if (lane?.oldest) this.#drop(lane.oldest, false)
  }

  /** Looks at the next entry, round and round. */
  #look(now: number): void {
    this.#round ??= this.#byName.values()
    const { value } = this.#round.next()
    if (!value) this.#round = undefined
    else if (isOver(value, now)) this.#drop(value, true)
  }

  #attach(entry: Entry): void {
    entry.lane = this.#laneFor(entry.record)
    entry.lane.append(entry)
    this.#indexFor(entry.record).add(entry)
  }

  #detach(entry: Entry): void {
    entry.lane.detach(entry)
    this.#indexFor(entry.record).remove(entry)
  }

  #laneFor({ retiredAt, subject }: StoredRecord): Recency<Entry> {
    if (retiredAt !== undefined) return this.#retired
    if (subject === undefined) return this.#anonymous
    return this.#sessions.count(subject) < this.#share ? this.#owned : this.#further
  }

  #indexFor({ retiredAt }: StoredRecord): SubjectIndex<Entry> {
    return retiredAt === undefined ? this.#sessions : this.#tombstones
  }
}

function isOver({ expiresAt }: Entry, now: number): boolean {
  return !(expiresAt > now)
}
