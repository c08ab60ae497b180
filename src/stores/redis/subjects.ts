/**
 * The index of subjects: for each a sorted set, in a slot of its own, of the names of its sessions. A score is until when
 * the name is in it. Each session knows the score of its own entry, so that one that is extended goes by the index about
 * once in its ttl. An entry is written before its session: what a crash leaves is one too many, which `list` drops.
 */

import { type Commands, scriptOf } from './client.ts'
import { nameIn, textOf } from './names.ts'

/** A name in the index of a subject. */
export interface Entry {
  readonly subject: string
  readonly name: string
  readonly score: number
}

/** What leaves the index is only what has no greater score: an entry that was made again is another session's. */
const DROP = scriptOf(`
for at = 1, #ARGV, 2 do
  local score = redis.call('ZSCORE', KEYS[1], ARGV[at])
  if score and tonumber(score) <= tonumber(ARGV[at + 1]) then redis.call('ZREM', KEYS[1], ARGV[at]) end
end
return ''
`)

/** The longest time that is kept exactly when it is added to the time of day. */
const LONGEST = 4e15

/**
 * ARGV: 1 the name, 2 for how long, 3 the score that is enough, 0: a newer one than any. Answers with the score. A name that
 * is new comes first, since memory that is full refuses nothing but the first write, and there is no name like the empty one.
 */
const ADD = scriptOf(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local known = redis.call('ZSCORE', KEYS[1], ARGV[1])
if known or ARGV[3] ~= '0' then redis.call('ZREM', KEYS[1], '') end
local newer = tonumber(known or 0) + (ARGV[3] == '0' and 1 or 0)
local score = math.max(now + ARGV[2], newer, tonumber(ARGV[3]))
local text = string.format('%.0f', score)
redis.call('ZADD', KEYS[1], text, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
local left = string.format('%.0f', score - now)
if redis.call('PTTL', KEYS[1]) < score - now then redis.call('PEXPIRE', KEYS[1], left) end
return text
`)

const LIST = scriptOf(`
local time = redis.call('TIME')
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)))
return table.concat(redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES'), '\\0')
`)

/** How many entries one script drops, so that others do not wait. */
const BATCH = 500

export interface Subjects {
  /** Has `name` in the index of `subject` for twice as long as it lives, and as a newer entry than any before. */
  add(subject: string, name: string, ttl: number): Promise<Entry>
  /** Puts an entry back, as a newer one, where a reader that did not yet find its session has dropped it. */
  confirm(entry: Entry): Promise<void>
  list(subject: string): Promise<Entry[]>
  /** Drops entries that are not newer. */
  drop(entries: readonly Entry[]): Promise<void>
}

export function createSubjects(commands: Commands, prefix: string): Subjects {
  // No name's text begins so.
  const keyOf = (subject: string) => `${prefix}@${subject}`

  async function add(subject: string, name: string, duration: number, least: number): Promise<Entry> {
    const [score] = await commands.run(ADD, keyOf(subject), [
      textOf(name),
      String(Math.min(duration, LONGEST)),
      String(least),
    ])
    return { subject, name, score: Number(score) }
  }

  return {
    add: (subject, name, ttl) => add(subject, name, 2 * ttl, 0),
    async confirm({ subject, name, score }) {
      await add(subject, name, 0, score + 1)
    },

    async list(subject) {
      const parts = await commands.run(LIST, keyOf(subject), [])
      const entries: Entry[] = []
      for (let at = 0; at + 1 < parts.length; at += 2) {
        entries.push({ subject, name: nameIn(parts[at] ?? ''), score: Number(parts[at + 1]) })
      }
      return entries
    },

    async drop(entries) {
      const bySubject = new Map<string, Entry[]>()
      for (const entry of entries) {
        const known = bySubject.get(entry.subject)
        if (known) known.push(entry)
        else bySubject.set(entry.subject, [entry])
      }
      for (const [subject, all] of bySubject) {
        for (let at = 0; at < all.length; at += BATCH) {
          const args = all.slice(at, at + BATCH).flatMap(({ name, score }) => [textOf(name), String(score)])
          await commands.run(DROP, keyOf(subject), args)
        }
      }
    },
  }
}
