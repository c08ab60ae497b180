/** The command was called in a way that it does not know. The message never repeats a value that it was given. */
export class UsageError extends Error {}

/** What the process ends with: it is part of the contract with scripts. */
export const EXIT = { accepted: 0, done: 0, refused: 1, failed: 1, unknown: 2, usage: 2, interrupted: 130 } as const

export const HELP = `Usage: koa-session keygen
       koa-session inspect [options] [COOKIE]
       koa-session sql --dialect postgres|mysql|sqlite [options]
       koa-session sessions list|count|end|sweep|reseal [options]

  keygen    Prints a new secret for app.keys: 32 random bytes in base64url.
  inspect   Verifies, opens and explains a session cookie, without the values in it.
  sql       Prints the statements that setup() of a store runs, for migrations. It asks
            no database.
  sessions  Lists, counts and ends the sessions of a store, deletes what has expired,
            and seals anew what an older secret has sealed. It prints no data and no id.

COOKIE is a Cookie header ('koa.sess=…; koa.sess.sig=…'), a line of Set-Cookie, or a
value alone. Where it is - or not given, it is read from standard input: an argument
can be seen by others on the machine, and stays in the history of the shell.

Options of inspect:
  --key NAME   The cookie's name; koa.sess by default.
  --unsigned   Ask for no signature, as an application with signed: false.
  --show       Print the values of the data, and the id of a stored session, too.
  --json       Print the report as JSON; instants and lifetimes in milliseconds.

Options of sql:
  --table NAME   The table, with its schema if it has one; sessions by default.
  --from N       The version that the table has; 0 by default: there is none.
  --user NAME    Print the rights of this user, too, who may be another one than the one
                 who makes the table.

Options of sessions:
  --store URL     sqlite:PATH, redis://, rediss://, postgres://, mysql://, mariadb://,
                  mongodb://, mongodb+srv:// or dynamodb://REGION. Others on the machine
                  see arguments: a URL with a password belongs into KOA_SESSION_STORE.
                  The client is that of the application: run this in its folder.
  --table NAME    The table, or the collection in MongoDB; sessions by default.
  --prefix TEXT   What the keys begin with, in Redis and DynamoDB; sess: by default.
  --plain-ids     The application gives the store hashIds: false.
  --json          Print JSON, one object a line; instants in milliseconds.
  --subject S     list, count, end: the sessions of this subject, newest first.
  --limit N       list: at most so many.
  --handle H      end: the session with this handle, which list prints.
  --except H      end, with --subject: all but this one.
  --all           end: all sessions.
  --yes           end: do not ask. Without a terminal --subject and --all need it.

Options of each:
  -h, --help   Print this.
  --version    Print the version.

Environment:
  KOA_SESSION_KEYS   The secrets, newest first: where it begins with [, a JSON array of
                     strings; otherwise separated by commas or white space. A secret
                     with one of those in it has to be in an array: '["a secret"]'.
  KOA_SESSION_STORE  The URL of the store, for sessions, unless --store is given.
  KOA_SESSION_SEAL   The secrets that the application gives the store as seal, in the same
                     form. Without them --subject fails on such a store.

Exit codes of inspect:
  0   The cookie would be accepted. Whether the store has the session that an id
      stands for, and what valid, schema and absoluteTimeout say, is not asked.
  1   It would be refused; the reason is one of missing, size, signature, undecodable,
      expired.
  2   Wrong usage: an unknown command or option, no cookie, or no secrets where the
      cookie is signed or sealed.

Exit codes of sessions:
  0   It was done, if for no session.
  1   It was not: the store failed, there is no session with that handle, or nobody agreed.
  2   Wrong usage. Nothing was asked of the store.
  130 It was interrupted. What has ended stays ended.
`
