/** The tables of the first alpha, and rows as it wrote them: its `setupSql`, and what was in its table after its own calls. */

export type SqlDialect = 'sqlite' | 'postgres' | 'mysql'

const TABLES: Readonly<Record<SqlDialect, (table: string) => readonly string[]>> = {
  sqlite: table => [
    `CREATE TABLE IF NOT EXISTS "${table}" (
  name TEXT NOT NULL PRIMARY KEY,
  data TEXT NOT NULL,
  lifetime TEXT NOT NULL,
  version INTEGER NOT NULL,
  subject TEXT,
  created_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  retired_at INTEGER
)`,
    `CREATE INDEX IF NOT EXISTS "${table}_expires_at" ON "${table}" (expires_at)`,
    `CREATE INDEX IF NOT EXISTS "${table}_subject" ON "${table}" (subject) WHERE subject IS NOT NULL`,
  ],
  postgres: table => [
    `CREATE TABLE IF NOT EXISTS "${table}" (
  name text NOT NULL PRIMARY KEY,
  data jsonb NOT NULL,
  lifetime text NOT NULL,
  version bigint NOT NULL,
  subject text,
  created_at bigint NOT NULL,
  seen_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  retired_at bigint
)`,
    `CREATE INDEX IF NOT EXISTS "${table}_expires_at" ON "${table}" (expires_at)`,
    `CREATE INDEX IF NOT EXISTS "${table}_subject" ON "${table}" (subject) WHERE subject IS NOT NULL`,
  ],
  mysql: table => [
    `CREATE TABLE IF NOT EXISTS \`${table}\` (
  name VARCHAR(1024) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  data JSON NOT NULL,
  lifetime TEXT CHARACTER SET utf8mb4 NOT NULL,
  version BIGINT NOT NULL,
  subject VARCHAR(43) CHARACTER SET ascii COLLATE ascii_bin,
  created_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  retired_at BIGINT,
  KEY \`${table}_expires_at\` (expires_at),
  KEY \`${table}_subject\` (subject)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC`,
  ],
}

const NOW = 1_700_000_000_000
const EXPIRES = NOW + 3_600_000
/** Of `id` and `old`, which was retired; whose they are: `ada`. */
const [ID, RETIRED] = ['pWFFJwzms769HdAStzlIZ33WGNSWSIvGCKPLQ841R90', 'y6BrVzb69n5UsHtWHq6UOV53TFF6fZEKVDaeEmPM-9Q']
const ADA = '_e5DDUC9V97qwYbNl5ADPQ8G-QmogG585ucXq3x9UCk'

const DATA = { user: '"ada"', 'n~00e9~d83c~df6a': '"Jörg 🍪"', 'a.b~007ec': '[1]' }
const LIFETIME = { _expire: EXPIRES, _maxAge: 3_600_000, _meta: { created: NOW - 5 } }

/** What the rows are to be read as. */
export const MEMBERS_OF_ALPHA = { user: '"ada"', 'né🍪': '"Jörg 🍪"', 'a.b~c': '[1]' }
export const LIFETIME_OF_ALPHA = LIFETIME

/** The statements that make such a table, with a session `id` and the tombstone of `old`, made at 1,700,000,000,000. */
export function tableOfAlpha(dialect: SqlDialect, table: string): string[] {
  const quoted = dialect === 'mysql' ? `\`${table}\`` : `"${table}"`
  // A backslash in a text means something to MySQL.
  const data = JSON.stringify(DATA).replaceAll('\\', dialect === 'mysql' ? '\\\\' : '\\')
  return [
    ...TABLES[dialect](table),
    `INSERT INTO ${quoted} VALUES ('${ID}', '${data}', '${JSON.stringify(LIFETIME)}', 0, '${ADA}', ${NOW}, ${NOW}, ${EXPIRES}, NULL)`,
    `INSERT INTO ${quoted} VALUES ('${RETIRED}', '{}', '{}', 1, NULL, ${NOW}, ${NOW}, ${EXPIRES}, ${NOW})`,
  ]
}
