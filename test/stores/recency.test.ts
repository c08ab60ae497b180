import assert from 'node:assert/strict'
import test from 'node:test'
import { type Linked, Recency } from '../../src/stores/recency.ts'

interface Entry extends Linked<Entry> {
  readonly name: string
}

const entryOf = (name: string): Entry => ({ name, older: undefined, newer: undefined })

function namesOf(list: Recency<Entry>): string {
  let names = ''
  for (let entry = list.oldest; entry; entry = entry.newer) names += entry.name
  return names
}

test('what is used goes to the end, wherever it was', () => {
  const rows = { a: 'bca', b: 'acb', c: 'abc' }
  for (const [name, expected] of Object.entries(rows)) {
    const list = new Recency<Entry>()
    const entries = ['a', 'b', 'c'].map(entryOf)
    for (const entry of entries) list.append(entry)
    list.use(entries.find(entry => entry.name === name) as Entry)
    assert.equal(namesOf(list), expected)
  }
})

test('what is gone keeps no other one alive', () => {
  const list = new Recency<Entry>()
  const entries = ['a', 'b', 'c'].map(entryOf)
  for (const entry of entries) list.append(entry)
  for (const entry of entries) {
    list.detach(entry)
    assert.deepEqual([entry.older, entry.newer], [undefined, undefined], entry.name)
  }
  assert.equal(list.oldest, undefined)
})
