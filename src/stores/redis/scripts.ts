/**
 * What runs in Redis. A session is a hash under one key, with a field for each of its members, whose name begins with a
 * dot, and those of the session itself, which are few and short, as Redis keeps a small hash in half the memory where no
 * value has more than 64 bytes:
 *
 * | field | holds |
 * |---|---|
 * | `l` | the lifetime, as `lifetime.ts` writes it |
 * | `m` | the version; when it was created, saved or extended last, and when it expires (ms, by the clock of the store); until when the index of its subject has it (ms, by the clock of Redis), or 0 |
 * | `s` | whose it is |
 * | `k` | the end of the key, see `mark.ts`. An older version wrote none |
 * | `u` | the tokens of the last patches that named a version, the newest first, if there were any |
 * | `r` | when the id was retired (ms, by the clock of the store, or where the store has none by that of Redis). Such a tombstone has beside it only `k`, and `l`, here the name of the successor, and `s`, whose it was, each if it is known. An older version wrote a word behind the instant and nothing beside it |
 *
 * A client may send a command once more that a lost connection has cut off (ioredis does), though it was carried out. Each
 * patch that names a version has a token, so that the second time it is told that it was done, and not that another was
 * faster. As many of others may come between as `u` has room for within the 64 bytes: seven. A retirement is known by the
 * successor that it names, and a session that was made by its entry in the index. One without a subject is in none: it gets
 * another id, and what was made first expires.
 *
 * Memory that is full (`maxmemory`) refuses the first write of a script, and only if that can take more memory: HSET, not
 * DEL. So HSET is the first in each script that can make a session or a larger one.
 *
 * What is no hash, or one without `r` whose `m` and `l` can't be read, is nothing. Instants that are compared with others in Redis are by its own
 * clock, like the expiry of keys.
 */

import { scriptOf } from './client.ts'
import { MARK } from './mark.ts'

const KNOWN = `
local key, mark = KEYS[1], ${MARK}
local known = redis.pcall('HMGET', key, 'm', 'r', 's', 'l')
if known.err then
  if string.sub(known.err, 1, 9) ~= 'WRONGTYPE' then return known end
  known = {}
end
local version, created, bound = string.match(known[1] or '', '^(%d+) (%S+) %S+ %S+ (%d+)$')
local isJson, lifetime = pcall(cjson.decode, known[4] or '')
if not isJson or type(lifetime) ~= 'table' then version, created, bound = nil, nil, nil end
local live, subject = version, version and known[3]
local retired = known[2]
local former = subject and '\\0' .. subject .. '\\0' .. bound or ''
`

const NOW = `
local function now()
  local time = redis.call('TIME')
  return string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
end
`

/** ARGV: 1 now, 2 when it expires, 3 ttl, 4 lifetime, 5 and 6 the subject that has it in its index, and until when. */
const SAVE = `${KNOWN}
local function isToIndex(wanted)
  if not wanted or wanted == ARGV[5] or ARGV[3] == '0' then return false end
  if wanted ~= subject then return true end
  local time = redis.call('TIME')
  return time[1] * 1000 + time[2] / 1000 + ARGV[3] > tonumber(bound)
end

local function grows() return true end

local function isFull(written)
  return type(written) == 'table' and string.find(written.err, 'OOM', 1, true)
end

local function clear()
  if redis.call('EXISTS', key) == 0 then return end
  local written = redis.pcall('HSET', key, 'm', '')
  if isFull(written) and grows() then return written end
  redis.call('DEL', key)
end

local function save(number, wanted)
  local untilWhen = wanted and (wanted == ARGV[5] and ARGV[6] or bound) or '0'
  local own = table.concat({number, created or ARGV[1], ARGV[1], ARGV[2], untilWhen}, ' ')
  local written = redis.pcall('HSET', key, 'l', ARGV[4], 'm', own, 'k', mark)
  if type(written) == 'table' then
    if not isFull(written) or grows() then return written end
    redis.call('HDEL', key, '')
    redis.call('HSET', key, 'l', ARGV[4], 'm', own, 'k', mark)
  end
  if wanted then redis.call('HSET', key, 's', wanted) elseif subject then redis.call('HDEL', key, 's') end
end

local function set(first, last)
  for at = first, last, 2 do redis.call('HSET', key, ARGV[at], ARGV[at + 1]) end
end

local function sizeOf(field)
  return redis.call('HEXISTS', key, field) * #field + redis.call('HSTRLEN', key, field)
end

local function following() return string.format('%.0f', version + 1) end
`

/** From 7 on: fields and values. Nobody else has this entry in the index: who knows it has made the session before. */
export const CREATE = scriptOf(`${SAVE}
if subject and subject == ARGV[5] and bound == ARGV[6] then return 'saved' end
if live or retired then return 'taken' end
local full = clear() or save('0', ARGV[5] ~= '' and ARGV[5])
if full then return full end
set(7, #ARGV)
redis.call('PEXPIRE', key, ARGV[3])
return 'saved'
`)

/** From 7 on: fields and values. */
export const REPLACE = scriptOf(`${SAVE}
if retired then return 'gone' end
if isToIndex(subject) then return 'index\\0' .. subject end
grows = function()
  if not live then return true end
  local more = 0
  for at = 7, #ARGV do more = more + #ARGV[at] end
  for _, field in ipairs(redis.call('HKEYS', key)) do
    if string.sub(field, 1, 1) == '.' then more = more - sizeOf(field) end
  end
  return more > 0
end
local full = clear() or save(live and following() or '0', subject)
if full then return full end
set(7, #ARGV)
redis.call('PEXPIRE', key, ARGV[3])
return 'saved'
`)

/**
 * 7 the version and a token, or nothing, 8 nothing or `=` and the new subject, 9 whether to keep what is left empty, 10 how
 * many are set; then their fields and values, then the fields that are removed.
 */
export const PATCH = scriptOf(`${SAVE}
if not live then return 'gone' end
local named, token = string.match(ARGV[7], '^(%d+) (%S+)$')
local tokens = named and redis.call('HGET', key, 'u')
if tokens and string.find(tokens, token, 1, true) then return 'saved' end
if named and named ~= version then return 'conflict' end
local wanted = subject
if ARGV[8] ~= '' then wanted = ARGV[8] ~= '=' and string.sub(ARGV[8], 2) end
if isToIndex(wanted) then return 'index\\0' .. wanted end
local last = 10 + 2 * ARGV[10]
grows = function()
  local more = 0
  for at = 11, last, 2 do more = more + #ARGV[at] + #ARGV[at + 1] - sizeOf(ARGV[at]) end
  for at = last + 1, #ARGV do more = more - sizeOf(ARGV[at]) end
  return more > 0
end
local full = save(following(), wanted)
if full then return full end
for at = last + 1, #ARGV do redis.call('HDEL', key, ARGV[at]) end
set(11, last)
if named then redis.call('HSET', key, 'u', string.sub(token .. ' ' .. (tokens or ''), 1, 63)) end
if #ARGV > last and ARGV[9] == '' then
  local own = 3 + (wanted and 1 or 0) + redis.call('HEXISTS', key, 'u')
  if redis.call('HLEN', key) == own then
    redis.call('DEL', key)
    return 'emptied' .. former
  end
end
redis.call('PEXPIRE', key, ARGV[3])
return 'saved' .. (wanted ~= subject and former or '')
`)

export const TOUCH = scriptOf(`${SAVE}
if not live then return 'gone' end
if isToIndex(subject) then return 'index\\0' .. subject end
grows = function() return false end
local full = save(version, subject)
if full then return full end
redis.call('PEXPIRE', key, ARGV[3])
return 'saved'
`)

/** 1 now, or nothing: by the clock of Redis, 2 ttl, 3 the version or nothing, 4 the successor or nothing. */
export const RETIRE = scriptOf(`${KNOWN}${NOW}
if retired then return ARGV[4] ~= '' and ARGV[4] == known[4] and 'saved' or 'gone' end
if not live then return 'gone' end
if ARGV[3] ~= '' and ARGV[3] ~= version then return 'conflict' end
redis.call('DEL', key)
redis.call('HSET', key, 'k', mark, 'r', ARGV[1] ~= '' and ARGV[1] or now())
if ARGV[4] ~= '' then redis.call('HSET', key, 'l', ARGV[4]) end
if subject then redis.call('HSET', key, 's', subject) end
redis.call('PEXPIRE', key, ARGV[2])
return 'saved' .. former
`)

/** Answers of a tombstone, which it leaves, with the successor. */
export const REMOVE = scriptOf(`${KNOWN}
if retired then return 'retired\\0' .. (known[4] or '') end
redis.call('DEL', key)
return (live and 'removed' or 'gone') .. former
`)

/** Answers with the time (ms) by the clock of Redis. */
export const TIME = scriptOf(`${NOW}
return now()
`)

export const FORGET = scriptOf(`${KNOWN}
if retired then redis.call('DEL', key) end
return ''
`)

/** Answers with how long (ms) the key is still there. */
export const LEFT = scriptOf(`return string.format('%.0f', math.max(redis.call('PTTL', KEYS[1]), 0))`)

/**
 * 1 the version and when it was created, or when it was retired, 2 the new subject or nothing, 3 until when the index has
 * it, or nothing; then fields and values.
 */
export const REWRITE = scriptOf(`${KNOWN}
local which = retired and string.match(retired, '^%S+') or live and version .. ' ' .. created
if which ~= ARGV[1] then return 'conflict' end
if ARGV[3] ~= '' then
  local time = redis.call('TIME')
  local ends = time[1] * 1000 + time[2] / 1000 + redis.call('PTTL', key)
  if ends > tonumber(ARGV[3]) then return 'conflict' end
end
for at = 4, #ARGV, 2 do redis.call('HSET', key, ARGV[at], ARGV[at + 1]) end
if ARGV[2] ~= '' then
  redis.call('HSET', key, 's', ARGV[2])
  if live then redis.call('HSET', key, 'm', string.match(known[1], '^(.*) %d+$') .. ' ' .. ARGV[3]) end
end
return 'saved' .. former
`)
