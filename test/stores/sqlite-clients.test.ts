import assert from 'node:assert/strict'
import { join } from 'node:path'
import { makeFolder, removeFolder } from '../servers/place.ts'
import { missingRow, row } from '../servers/report.ts'
import { sqliteClients } from '../servers/sqlite.ts'

for (const { title, missing, open } of sqliteClients()) {
  const what = { store: '(smoke)', client: title, server: 'a file' }
  if (missing !== undefined) {
    missingRow(what, missing)
    continue
  }
  row(what).test(`${title} finds in a file what was written before it was closed`, t => {
    const folder = makeFolder()
    t.after(() => removeFolder(folder))
    const file = join(folder, 'sessions.db')
    const first = open(file)
    first.exec('CREATE TABLE kept (id TEXT PRIMARY KEY, data TEXT)')
    assert.equal(Number(first.prepare('INSERT INTO kept VALUES (?, ?)').run('a', '{"name":"ünï"}').changes), 1)
    first.close()
    const second = open(file)
    assert.equal(Reflect.get(Object(second.prepare('SELECT * FROM kept').get()), 'data'), '{"name":"ünï"}')
    second.close()
  })
}
