/*
 * What grows, and how far: the cases of bench/grow.mjs, in the form of those in cases.mjs, which is why a child can
 * run them all the same. A point is a value on the axis that grows.
 */

import { article, reading, small, user, visiting, writing } from './cases.mjs'

export { user }

const kilo = 1000
const sizes = {
  cookie: [60, 250, kilo, 2 * kilo, 2.8 * kilo],
  store: [60, 250, kilo, 4 * kilo, 16 * kilo, 64 * kilo],
}
const readAndWrite = { read: reading, write: writing }

// A session whose JSON has this many bytes: a cart of as many articles as fit, and a note.
function sized(bytes) {
  const length = data => JSON.stringify(data).length
  if (bytes <= length(small)) return small
  const data = { ...small, note: '', cart: [] }
  while (length(data) + length(article) < bytes) data.cart.push(article)
  data.note = 'x'.repeat(Math.max(0, bytes - length(data)))
  return data
}

const named = bytes => (bytes < kilo ? `${bytes} B` : `${bytes / kilo} KB`)
const counted = count => count.toLocaleString('en-US')

// One point for each use, mode and value: { key, use, mode, value, group } and the case under its key.
function grown(growth, modes, values, caseOf, { uses = readAndWrite, processOf = () => growth } = {}) {
  return modes.flatMap(mode =>
    values[mode].flatMap(value =>
      Object.entries(uses).map(([use, does]) => {
        const key = `${growth} ${value} ${mode} ${use}`
        const definition = { seed: small, ...does, ...caseOf(value) }
        return { growth, key, use, mode, value, group: processOf(value, use), share: definition.share, definition }
      }),
    ),
  )
}

const secretsOf = count => Array.from({ length: count }, (_, index) => `the secret number ${index} of the benchmark`)

export const growths = {
  size: {
    title: 'Size of the session',
    axis: 'size of the session as JSON',
    label: named,
    isLogarithmic: true,
    // From a few microseconds to hundreds of them.
    spread: ['store'],
    entries: grown('size', ['cookie', 'store'], sizes, bytes => ({
      seed: sized(bytes),
      share: bytes > 4 * kilo ? (4 * kilo) / bytes : 1,
    })),
  },
  secrets: {
    title: 'Secrets in app.keys',
    axis: 'secrets in app.keys, the cookie signed with the newest',
    label: String,
    entries: grown('secrets', ['cookie'], { cookie: [1, 3, 10] }, count => ({ secrets: secretsOf(count) })),
  },
  others: {
    title: 'Other cookies in the request',
    axis: 'other cookies in the request, of 36 bytes each',
    label: String,
    entries: grown('others', ['cookie'], { cookie: [0, 10, 50] }, count => ({ others: count })),
  },
  live: {
    title: 'Live sessions in memoryStore()',
    axis: 'live sessions in memoryStore(), used at random',
    label: counted,
    isLogarithmic: true,
    entries: grown('live', ['store'], { store: [1e3, 1e4, 1e5, 1e6] }, count => ({ sessions: count }), {
      // A first visit to a full store drives out the session that was used longest ago: not one that others use.
      uses: { ...readAndWrite, visit: { ...visiting, visits: true } },
      // In one process the smaller stores would pay for collections in the largest one's heap.
      processOf: (count, use) => `${use === 'visit' ? 'visited' : 'live'} ${count}`,
    }),
  },
}

const all = Object.values(growths).flatMap(({ entries }) => entries)
export const cases = Object.fromEntries(all.map(({ key, definition }) => [key, definition]))
