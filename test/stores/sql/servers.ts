/** Where the servers of databases are: to be told by the environment, so that tests run against any. */

/** Such as `postgres://postgres@127.0.0.1:5432/postgres`. */
export const postgresUrl: string | undefined = process.env.KOA_SESSION_TEST_POSTGRES

/** Such as `mysql://root@127.0.0.1:3306/test`: MariaDB or MySQL. */
export const mysqlUrl: string | undefined = process.env.KOA_SESSION_TEST_MYSQL
