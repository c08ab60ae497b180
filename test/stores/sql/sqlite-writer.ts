/** A process of its own that sets a hundred keys of the session `a`: `sqlite-writer.ts <client> <file> <who>`. */
import { sqliteStore } from 'koa-session/sqlite'
import { sqliteClients } from '../../servers/sqlite.ts'

const [client, file = '', who] = process.argv.slice(2)
const db = sqliteClients()
  .find(({ name }) => name === client)
  ?.open(file)
if (!db) throw new Error(`no client ${client}`)
db.exec('PRAGMA busy_timeout = 5000')
const store = sqliteStore(db, { sweepEvery: false })
for (let n = 0; n < 100; n++) {
  const patch = { set: { [`${who} ${n}`]: '1' }, unset: [], lifetime: {}, keepsEmpty: false }
  store.patch('a', patch, 3_600_000, { ctx: undefined })
}
db.close()
