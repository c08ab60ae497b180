import { createKeyrings, type Secret } from '../codec/keyring.ts'
import { type Opened, open, seal, sealContext } from '../codec/sealed.ts'
import { sealingSecrets } from '../codec/secrets.ts'
import { hideSubject, openSubject, subjectKey } from '../codec/subject.ts'
import { after } from './after.ts'
import { resealAll } from './reseal.ts'
import type { Rewritten, Row, Rows } from './rows.ts'
import type { Answer, StoredRecord } from './store.ts'

type Members = StoredRecord['members']

/** So many names are remembered of sessions that are to be sealed anew when they are written next. */
const REMEMBERED = 10_000

export interface SealedRows {
  readonly rows: Rows
  /** Seals anew what another secret than the first has sealed, `batch` rows at a time. Says how many rows that were. */
  reseal(batch: number): Promise<number>
}

/**
 * `rows` with sealed values and hidden subjects: sealed with the first of `secrets`, and bound to the row's name and the
 * value's key, so that a value that was moved does not open. What does not open is no JSON. What another secret has sealed
 * is sealed anew after the next write to a session that was read. Whoever asks these rows, or is answered by them, has the
 * SHA-256 of a subject: its HMAC is only at rest. Where the secret for it was dropped, the HMAC is all there is, and stands
 * for the subject. Throws `ERR_SESSION_KEYS`.
 */
export function sealedRows(maker: string, rows: Rows, given: readonly Secret[]): SealedRows {
  const secrets = sealingSecrets(given, `${maker}: seal`)
  const keyring = createKeyrings()(secrets)
  const subjectKeys = secrets.map(subjectKey)
  const [newest = subjectKey('')] = subjectKeys
  const older = new Set<string>()

  function map(members: Members, made: (text: string, key: string) => string): Members {
    return Object.fromEntries(Object.entries(members).map(([key, text]) => [key, made(text, key)]))
  }

  function sealed(name: string, members: Members): Members {
    return map(members, (text, key) => seal(text, keyring, sealContext('record', name, key)))
  }

  /** What an older version has sealed was bound to both names with a space between them: the second try. */
  function openedIn(name: string, key: string, value: string): { result: Opened; isOlder: boolean } {
    const result = open(value, keyring, sealContext('record', name, key), Number.POSITIVE_INFINITY)
    if (result.fault !== 'signature') return { result, isOlder: !result.fault && result.position > 0 }
    const former = open(value, keyring, sealContext('record', `${name} ${key}`), Number.POSITIVE_INFINITY)
    return { result: former, isOlder: !former.fault }
  }

  function hidden<Subject extends string | null | undefined>(subject: Subject): Subject | string {
    return typeof subject === 'string' ? hideSubject(subject, newest) : subject
  }

  /** The record, and what of it is to be sealed anew: `undefined` where nothing is. */
  function opened(name: string, record: StoredRecord): { record: StoredRecord; texts: Rewritten | undefined } {
    const again: Record<string, string> = {}
    const members = map(record.members, (value, key) => {
      const { result, isOlder } = openedIn(name, key, value)
      if (result.fault) return ''
      if (isOlder) again[key] = result.text
      return result.text
    })
    const known = record.subject === undefined ? undefined : openSubject(record.subject, subjectKeys)
    // Where there is no secret for it, it is a digest that an older version has stored, or one that nobody can use.
    const subject = known?.digest ?? record.subject
    const moved = known?.position === 0 ? undefined : subject && hidden(subject)
    const isMoved = moved !== undefined && moved !== record.subject
    const texts = { members: again, subject: isMoved ? moved : undefined }
    const isNew = !isMoved && Object.keys(again).length === 0
    return { record: { ...record, members, subject }, texts: isNew ? undefined : texts }
  }

  function openedRow(row: Row): Row {
    return { ...row, record: opened(row.name, row.record).record }
  }

  /** What is to be written for `row`, if anything. */
  function renewed({ name, record }: Row): Rewritten | undefined {
    const { texts } = opened(name, record)
    return texts && { ...texts, members: sealed(name, texts.members) }
  }

  const { rewriting } = rows
  const reseal = async (batch: number) => (rewriting ? resealAll(rows.pages(batch), rewriting, renewed) : 0)

  function noticed(name: string, record: StoredRecord): StoredRecord {
    const { record: plain, texts } = opened(name, record)
    if (!texts || !rewriting || record.retiredAt !== undefined) return plain
    older.add(name)
    // Whoever only reads leaves it here.
    if (older.size > REMEMBERED) for (const oldest of [...older].slice(0, REMEMBERED / 2)) older.delete(oldest)
    return plain
  }

  /** After it was written to. The write is done whatever becomes of this: whoever reads the session next notices again. */
  function sealAnew(name: string): Answer<unknown> {
    return after(rewriting?.find(name), row => {
      const texts = row && renewed(row)
      return texts && rewriting?.rewrite(row, texts)
    })
  }

  function written<Result>(name: string, result: Answer<Result>): Answer<Result> {
    if (!older.delete(name)) return result
    return after(result, value =>
      after(
        unlessItFails(() => sealAnew(name)),
        () => value,
      ),
    )
  }

  /**
   * Those under the digest itself, which an older version has written, and under what each secret made of it, the newest
   * last and then back again: a session that is sealed anew meanwhile is found there, also by a process to which another
   * secret is the newest.
   */
  function forms(subject: string): readonly string[] {
    const [last = subject, ...others] = new Set(subjectKeys.map(key => hideSubject(subject, key)))
    return [...new Set([subject, ...[...others].reverse(), last]), ...others]
  }

  const withSealed = <Given extends StoredRecord>(name: string, record: Given): Given => ({
    ...record,
    members: sealed(name, record.members),
    subject: hidden(record.subject),
  })

  return {
    reseal,
    rows: {
      ...rows,
      read: name => after(rows.read(name), record => record && noticed(name, record)),
      create: (name, record, ttl) => rows.create(name, withSealed(name, record), ttl),
      replace: (name, record, ttl) => written(name, rows.replace(name, withSealed(name, record), ttl)),
      patch: (name, patch, ttl) =>
        written(
          name,
          rows.patch(name, { ...patch, set: sealed(name, patch.set), subject: hidden(patch.subject) }, ttl),
        ),
      touch: (name, lifetime, ttl) => written(name, rows.touch(name, lifetime, ttl)),
      list: (subject, limit) =>
        after(
          collected(forms(subject), form => rows.list(form, limit)),
          found => [...new Map(found.map(row => [row.name, openedRow(row)])).values()],
        ),
      ...(rows.some && {
        some: (subject, limit) => collected(forms(subject), form => (rows as Required<Rows>).some(form, limit)),
      }),
      async *pages(batch, from) {
        for await (const page of rows.pages(batch, from)) yield page.map(openedRow)
      },
      names: subject => after(collected(forms(subject), rows.names), names => [...new Set(names)]),
    },
  }
}

/** What `ask` gives for each, one after the other. */
function collected<Found>(
  [form, ...others]: readonly string[],
  ask: (form: string) => Answer<readonly Found[]>,
  former: readonly Found[] = [],
): Answer<readonly Found[]> {
  if (form === undefined) return former
  return after(ask(form), found => collected(others, ask, [...former, ...found]))
}

function unlessItFails(act: () => Answer<unknown>): Answer<unknown> {
  try {
    const answer = act()
    return answer instanceof Promise ? answer.catch(() => undefined) : answer
  } catch {
    return undefined
  }
}
