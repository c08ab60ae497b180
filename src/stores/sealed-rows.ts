import { createKeyrings, type Secret } from '../codec/keyring.ts'
import { open, seal, sealContext } from '../codec/sealed.ts'
import { sealingSecrets } from '../codec/secrets.ts'
import { after } from './after.ts'
import type { Rows } from './rows.ts'
import type { StoredRecord } from './store.ts'

type Members = StoredRecord['members']

/**
 * `rows` with sealed values: sealed with the first of `secrets`, and bound to the row's name and the value's key, so that
 * a value that was moved does not open. What does not open is no JSON. Throws `ERR_SESSION_KEYS`.
 */
export function sealedRows(maker: string, rows: Rows, secrets: readonly Secret[]): Rows {
  const keyring = createKeyrings()(sealingSecrets(secrets, `${maker}: seal`))
  const contextOf = (name: string, key: string) => sealContext('record', `${name} ${key}`)

  function map(members: Members, made: (text: string, key: string) => string): Members {
    return Object.fromEntries(Object.entries(members).map(([key, text]) => [key, made(text, key)]))
  }

  function sealed(name: string, members: Members): Members {
    return map(members, (text, key) => seal(text, keyring, contextOf(name, key)))
  }

  function opened(name: string, record: StoredRecord): StoredRecord {
    return {
      ...record,
      members: map(record.members, (value, key) => {
        const result = open(value, keyring, contextOf(name, key), Number.POSITIVE_INFINITY)
        return result.fault ? '' : result.text
      }),
    }
  }

  return {
    ...rows,
    read: name => after(rows.read(name), record => record && opened(name, record)),
    create: (name, record, ttl) => rows.create(name, { ...record, members: sealed(name, record.members) }, ttl),
    replace: (name, record, ttl) => rows.replace(name, { ...record, members: sealed(name, record.members) }, ttl),
    patch: (name, patch, ttl) => rows.patch(name, { ...patch, set: sealed(name, patch.set) }, ttl),
    list: subject =>
      after(rows.list(subject), found => found.map(row => ({ ...row, record: opened(row.name, row.record) }))),
  }
}
