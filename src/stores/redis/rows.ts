import { digest } from '../../codec/digest.ts'
import { SessionError } from '../../errors.ts'
import { forEach, listIndexed } from '../indexed.ts'
import { notCursor } from '../options.ts'
import type { Row, Rows, Tombstone } from '../rows.ts'
import type { Patched, StoredLifetime } from '../store.ts'
import { token } from '../token.ts'
import type { Commands, Script } from './client.ts'
import { fieldOf, fieldsOf, rowIn } from './hash.ts'
import { lifetimeText } from './lifetime.ts'
import { nameIn, textOf } from './names.ts'
import { CREATE, FORGET, LEFT, PATCH, REMOVE, REPLACE, RETIRE, REWRITE, TIME, TOUCH } from './scripts.ts'
import { createSubjects, type Entry } from './subjects.ts'

export interface RedisRows extends Rows {
  sweep(): Promise<number>
}

/** What became of a session, and the entries of it that the index was given or is to lose. */
interface Saved {
  readonly verdict: string
  readonly indexed: Entry | undefined
  readonly former: Entry | undefined
}

/**
 * Sessions as hashes, through `commands`. Instants that are stored are by `clock`; when an id was retired, where there is
 * none, by that of Redis, which all processes share. `keepsRetired`: what was retired stays in
 * the index of its subject.
 */
export function createRedisRows(
  commands: Commands,
  prefix: string,
  clock: (() => number) | undefined,
  keepsRetired: boolean,
): RedisRows {
  const subjects = createSubjects(commands, prefix)
  const now = clock ?? Date.now
  const keyOf = (name: string) => prefix + textOf(name)

  async function save(
    script: Script,
    name: string,
    lifetime: StoredLifetime,
    ttl: number,
    args: readonly string[],
    given?: Entry | undefined,
  ): Promise<Saved> {
    const at = now()
    const head = [String(at), String(at + ttl), String(ttl), lifetimeText(lifetime)]
    let indexed = given
    for (;;) {
      const entry = indexed ? [indexed.subject, String(indexed.score)] : ['', '']
      const [verdict = '', subject, score] = await commands.run(script, keyOf(name), [...head, ...entry, ...args])
      if (verdict !== 'index') return { verdict, indexed, former: entryOf(name, subject, score) }
      // Whose it is may change until the index has it.
      indexed = await subjects.add(subject ?? '', name, ttl)
    }
  }

  async function drop(...entries: Array<Entry | undefined>): Promise<void> {
    await subjects.drop(entries.filter(entry => entry !== undefined))
  }

  /** After a write that failed. No memory was left: it was not done. Of what else may fail nobody knows that. */
  async function withoutEntry(error: unknown, entry: Entry | undefined): Promise<never> {
    if (error instanceof SessionError) await drop(entry)
    throw error
  }

  async function read(name: string): Promise<Row | undefined> {
    const key = keyOf(name)
    return rowIn(name, key, await commands.fields(key))
  }

  /** Entries of what is gone are dropped. Tombstones need not be in the index, as they may be evicted. */
  function list(subject: string): Promise<Row[]> {
    const isIts = (row: Row | undefined) =>
      row?.record.subject === subject && (keepsRetired || row.record.retiredAt === undefined)
    return listIndexed<Entry>('redisStore', subject, {
      entries: () => subjects.list(subject),
      read: ({ name }) => read(name),
      textOf: ({ name, score }) => `${score} ${name}`,
      looked: (entries, rows) => drop(...entries.filter((_, at) => !isIts(rows[at]))),
    })
  }

  return {
    async read(name) {
      const record = (await read(name))?.record
      if (record?.retiredAt === undefined) return record
      const at = clock ? clock() : Number((await commands.run(TIME, keyOf(name), []))[0])
      return { ...record, retiredFor: at - record.retiredAt }
    },

    async create(name, { members, lifetime, subject }, ttl) {
      const whole = wholeOf(ttl)
      const entry = subject !== undefined && whole > 0 ? await subjects.add(subject, name, whole) : undefined
      const saved = save(CREATE, name, lifetime, whole, fieldsOf(members), entry)
      const { verdict } = await saved.catch(error => withoutEntry(error, entry))
      if (verdict !== 'saved') return false
      if (entry) await subjects.confirm(entry)
      return true
    },

    async replace(name, { members, lifetime }, ttl) {
      await save(REPLACE, name, lifetime, wholeOf(ttl), fieldsOf(members))
    },

    async patch(name, { set, unset, lifetime, keepsEmpty, version, subject }, ttl) {
      const whose = subject === undefined ? '' : `=${subject ?? ''}`
      const fields = fieldsOf(set)
      const head = [
        version === undefined ? '' : `${version} ${token()}`,
        whose,
        keepsEmpty ? '1' : '',
        String(fields.length / 2),
      ]
      const args = [...head, ...fields, ...unset.map(fieldOf)]
      const { verdict, indexed, former } = await save(PATCH, name, lifetime, wholeOf(ttl), args)
      if (indexed && subject && verdict === 'saved') await subjects.confirm(indexed)
      await drop(former)
      return verdict as Patched
    },

    async touch(name, lifetime, ttl) {
      const { verdict } = await save(TOUCH, name, lifetime, wholeOf(ttl), [])
      return verdict === 'saved'
    },

    async retire(name, { version, successor }, ttl) {
      const next = successor === undefined ? '' : textOf(successor)
      const args = [clock ? String(clock()) : '', String(wholeOf(ttl)), String(version ?? ''), next]
      const [verdict, subject, score] = await commands.run(RETIRE, keyOf(name), args)
      if (!keepsRetired) await drop(entryOf(name, subject, score))
      return verdict as Exclude<Patched, 'emptied'>
    },

    async remove(names) {
      const former: Array<Entry | undefined> = []
      const tombstones: Tombstone[] = []
      let count = 0
      await forEach(names, async name => {
        const [verdict, ...more] = await commands.run(REMOVE, keyOf(name), [])
        if (verdict === 'retired') return tombstones.push({ name, successor: more[0] ? nameIn(more[0]) : undefined })
        if (verdict === 'removed') count++
        return former.push(entryOf(name, more[0], more[1]))
      })
      await drop(...former)
      return { count, tombstones }
    },

    forget: names => forEach(names, name => commands.run(FORGET, keyOf(name), [])),

    list,

    names: async subject => (await subjects.list(subject)).map(({ name }) => name),

    async sweep() {
      let count = 0
      for await (const registered of subjects.registered()) {
        await forEach(registered, async one => {
          // What is listed is dropped where it is gone.
          await list(one[0])
          if (await subjects.unregister(one)) count++
        })
      }
      return count
    },

    hasCursors: true,

    // A cursor is where its page begins, and marks of the names that were given from there. SCAN gives that page again, with
    // others in it where Redis has made its table smaller since: they were not given, and are not passed over.
    async *pages(batch, after) {
      const [, from = '', marks = ''] = after === undefined ? [] : placeIn(after)
      let given = new Set(marks.match(/.{6}/g))
      for await (const { keys, place } of commands.keys(prefix, batch, from)) {
        if (place !== from) given = new Set()
        // Not those of indexes.
        const found = keys.filter(key => keyOf(nameIn(key.slice(prefix.length))) === key)
        const names = new Set(found.map(key => nameIn(key.slice(prefix.length))))
        const left = [...names].filter(name => !given.has(markOf(name)))
        const rows = (await forEach(left, read)).filter(row => row !== undefined)
        yield rows.map(row => {
          given.add(markOf(row.name))
          return { ...row, cursor: `${place}.${[...given].join('')}` }
        })
      }
    },

    rewriting: {
      find: read,

      async rewrite({ name, record, createdAt }, { members, subject }) {
        const { version, retiredAt } = record
        const isIndexed = subject !== undefined && (retiredAt === undefined || keepsRetired)
        const [left] = isIndexed ? await commands.run(LEFT, keyOf(name), []) : []
        const entry = isIndexed ? await subjects.add(subject, name, Number(left)) : undefined
        const which = retiredAt === undefined ? `${version} ${createdAt}` : String(retiredAt)
        const args = [which, subject ?? '', String(entry?.score ?? ''), ...fieldsOf(members)]
        const answer = commands.run(REWRITE, keyOf(name), args)
        const [verdict, former, score] = await answer.catch(error => withoutEntry(error, entry))
        if (verdict !== 'saved') return false
        if (entry) await subjects.confirm(entry)
        if (subject !== undefined) await drop(entryOf(name, former, score))
        return true
      },
    },
  }
}

/** The entry that a session knows of. To confirm it, it was made newer by one. */
function entryOf(name: string, subject: string | undefined, score: string | undefined): Entry | undefined {
  return subject === undefined ? undefined : { subject, name, score: Number(score) + 1 }
}

/** A place, see `keysOn`, and marks. */
const CURSOR = /^([\w-]{6}\.\d{1,20})\.((?:[\w-]{6})*)$/

function placeIn(cursor: string): readonly string[] {
  const found = CURSOR.exec(cursor)
  if (found) return found
  throw notCursor()
}

const markOf = (name: string) => digest(name).slice(0, 6)

/** `ttl` as Redis takes it: a key with none is deleted. */
function wholeOf(ttl: number): number {
  return ttl > 0 ? Math.min(Math.ceil(ttl), Number.MAX_SAFE_INTEGER) : 0
}
