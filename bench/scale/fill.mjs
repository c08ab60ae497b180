/*
 * Fills a backend through its store. The rows of a table are those that `create` makes: a store on a client that only
 * writes down what it is asked, whose values are then inserted by the hundred.
 */

import { expiresAt, idOf, recordOf } from './sessions.mjs'

const create = (store, number, count, start) =>
  store.create(idOf(number), recordOf(number, count, start), expiresAt(number, start) - start, {})

/** Has `inFlight` sessions created at a time. */
export async function createAll(store, { count, start, inFlight }) {
  let next = 0
  async function worker() {
    while (next < count) {
      const answer = create(store, next++, count, start)
      if ((typeof answer === 'boolean' ? answer : await answer) !== true) throw new Error('a session was there before')
    }
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
}

/**
 * `openStore(note)` makes a store on a client that calls `note(text, values)` and says that one row was inserted;
 * `insert(text, rows)` inserts many of them.
 */
export async function insertAll(openStore, insert, { count, start, atATime = 500 }) {
  let rows = []
  let statement = ''
  const store = openStore((text, values) => {
    statement = text
    rows.push(values)
  })
  let underWay = Promise.resolve()
  for (let number = 0; number < count; number++) {
    await create(store, number, count, start)
    if (rows.length < atATime && number < count - 1) continue
    await underWay
    underWay = insert(statement, rows)
    rows = []
  }
  await underWay
}
