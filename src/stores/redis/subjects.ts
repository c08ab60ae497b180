/**
 * The index of subjects: for each a sorted set, in a slot of its own, of the names of its sessions. A score is until when
 * the name is in it. Each session knows the score of its own entry, so that one that is extended goes by the index about
 * once in its ttl. An entry is written before its session: what a crash leaves is one too many, which `list` drops.
 *
 * Where Redis evicts what expires, an index does not expire: it goes with its last entry. Those of sessions that expired go
 * when the index is next written to or read, and by `sweep`. It finds the index in one of 64 registers, sorted sets of
 * subjects with the latest score of each, which an index is written into before it is made.
 */

import { type Commands, scriptOf } from './client.ts'
import { createEviction } from './eviction.ts'
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
 * ARGV: 1 the name, 2 for how long, 3 the score that is enough, 0: a newer one than any, 4 what it is added to: an index
 * that expires, one that is `kept`, a `register`. Answers with the score. A name that is new comes first, since memory that
 * is full refuses nothing but the first write, and there is no name like the empty one.
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
if ARGV[4] == 'register' then return text end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
if ARGV[4] == 'kept' then
  redis.call('PERSIST', KEYS[1])
else
  local left = string.format('%.0f', score - now)
  if redis.call('PTTL', KEYS[1]) < score - now then redis.call('PEXPIRE', KEYS[1], left) end
end
return text
`)

const LIST = scriptOf(`
local time = redis.call('TIME')
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)))
return table.concat(redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES'), '\\0')
`)

/** Answers with the cursor that goes on, and subjects of a register with their scores. */
const SCAN = scriptOf(`
local found = redis.call('ZSCAN', KEYS[1], ARGV[1])
return table.concat({found[1], unpack(found[2])}, '\\0')
`)

/** What a subject, which is in base64url, begins with: there is a register for each. */
const BEGINNINGS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** How many entries one script drops, so that others do not wait. */
const BATCH = 500

type Scored = readonly [name: string, score: number]

export interface Subjects {
  /** Has `name` in the index of `subject` for twice as long as it lives, and as a newer entry than any before. */
  add(subject: string, name: string, ttl: number): Promise<Entry>
  /** Puts an entry back, as a newer one, where a reader that did not yet find its session has dropped it. */
  confirm(entry: Entry): Promise<void>
  /** Rejects with `ERR_SESSION_STORE` where Redis may have evicted some. */
  list(subject: string): Promise<Entry[]>
  /** Drops entries that are not newer. */
  drop(entries: readonly Entry[]): Promise<void>
  /** The subjects whose indexes do not expire, in parts, with the score that each has in its register. */
  registered(): AsyncIterable<readonly Scored[]>
  /** Drops a subject from its register, if its index is gone. Says whether it is. */
  unregister(registered: Scored): Promise<boolean>
}

export function createSubjects(commands: Commands, prefix: string): Subjects {
  // No name's text begins so.
  const keyOf = (subject: string) => `${prefix}@${subject}`

  const registerOf = (subject: string) => `${prefix}@@${subject.slice(0, 1)}`
  const eviction = createEviction(commands)

  async function put(key: string, name: string, duration: number, least: number, where: string): Promise<number> {
    const args = [textOf(name), String(Math.min(duration, LONGEST)), String(least), where]
    return Number((await commands.run(ADD, key, args))[0])
  }

  async function add(subject: string, name: string, duration: number, least: number): Promise<Entry> {
    const key = keyOf(subject)
    const isKept = await eviction.sparesLasting(key)
    if (isKept) await put(registerOf(subject), subject, duration, least, 'register')
    return { subject, name, score: await put(key, name, duration, least, isKept ? 'kept' : '') }
  }

  async function dropFrom(key: string, names: readonly Scored[]): Promise<void> {
    const args = names.flatMap(([name, score]) => [textOf(name), String(score)])
    await commands.run(DROP, key, args)
  }

  async function list(subject: string): Promise<Entry[]> {
    return scoredIn(await commands.run(LIST, keyOf(subject), [])).map(([name, score]) => ({ subject, name, score }))
  }

  return {
    add: (subject, name, ttl) => add(subject, name, 2 * ttl, 0),
    async confirm({ subject, name, score }) {
      await add(subject, name, 0, score + 1)
    },

    async list(subject) {
      await eviction.checkIndex(keyOf(subject))
      return list(subject)
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
          const names = all.slice(at, at + BATCH).map(({ name, score }) => [name, score] as const)
          await dropFrom(keyOf(subject), names)
        }
      }
    },

    async *registered() {
      for (const beginning of BEGINNINGS) {
        const register = registerOf(beginning)
        if (!(await eviction.sparesLasting(register))) return
        let cursor = '0'
        do {
          const [next = '0', ...parts] = await commands.run(SCAN, register, [cursor])
          yield scoredIn(parts)
          cursor = next
        } while (cursor !== '0')
      }
    },

    async unregister([subject, score]) {
      const isGone = (await list(subject)).length === 0
      // Not if it was written into the register again: then the index is about to be.
      if (isGone) await dropFrom(registerOf(subject), [[subject, score]])
      return isGone
    },
  }
}

/** What a sorted set holds, of an answer that has names and scores in turn. */
function scoredIn(parts: readonly string[]): Scored[] {
  return parts.flatMap((part, at) => (at % 2 ? [] : [[nameIn(part), Number(parts[at + 1])] as const]))
}
