/*
 * The sessions of the benchmark, each known by its number: a million of them need no list of ids. What is derived from a
 * number is what the middleware would hand to a store.
 */

import { createHash } from 'node:crypto'

export const HOUR = 3_600_000
export const DAY = 24 * HOUR
/** How many sessions one of the subjects has, and how many each of the others. */
export const CROWD = 1000
const FEW = 3

export const crowdSubject = 'the subject of a thousand sessions'

const digest = text => createHash('sha256').update(text).digest('base64url')

export const idOf = number => `a-session-of-the-benchmark-${number}`

// The one with many is spread over all, none of which is to expire.
const isOfCrowd = (number, count) => number % (count / CROWD) === 0
const subjectOf = (number, count) => (isOfCrowd(number, count) ? crowdSubject : `subject ${Math.floor(number / FEW)}`)

/** Every second one expires within the first hour, at any time of it, and the others after a day. */
export const isShort = number => number % 2 === 1
export const expiresAt = (number, start) =>
  isShort(number) ? start + HOUR - ((number * 7919) % (HOUR / 2)) : start + DAY

export const aLiveOne = count => 2 * Math.floor(Math.random() * (count / 2))
export const anyOne = count => Math.floor(Math.random() * count)

const lifetimeOf = (number, start) => ({
  _expire: expiresAt(number, start),
  _maxAge: isShort(number) ? HOUR : DAY,
  _meta: { created: start },
})

function membersOf(number) {
  const data = {
    user: { id: 1_000_000 + number, name: `Ada Lovelace ${number}`, roles: ['reader', 'author'] },
    csrf: digest(`csrf ${number}`),
    cart: [{ article: number % 5000, quantity: 1 + (number % 4) }],
    theme: 'dark',
    language: 'en-GB',
    visits: 1,
  }
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, JSON.stringify(value)]))
}

/** Of the data, without the lifetime. */
export const bytesOfJson = Object.entries(membersOf(123_456)).reduce(
  (sum, [name, text]) => sum + name.length + text.length + 4,
  1,
)

export function recordOf(number, count, start) {
  const subject = digest(subjectOf(number, count))
  return { members: membersOf(number), lifetime: lifetimeOf(number, start), version: 0, subject }
}

/** One key that counts, and the lifetime, as a request saves it; it stays among those that expire soon, or not. */
export function patchOf(number, start) {
  const set = { visits: String(Math.floor(Math.random() * 1000)) }
  return { set, unset: [], lifetime: lifetimeOf(number, start), keepsEmpty: false }
}
