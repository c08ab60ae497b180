/** Connections of a pool that is not the store's, one for each statement. */

/** Gives a connection. */
export type Acquire<Connection> = () => Connection | PromiseLike<Connection>

/** Takes a connection back. */
export type Release<Connection> = (connection: Connection) => unknown

/** What `use` gives. The connection goes back whatever happens. */
export async function onConnection<Connection, Result>(
  acquire: Acquire<Connection>,
  release: Release<Connection>,
  use: (connection: Connection) => PromiseLike<Result>,
): Promise<Result> {
  const connection = await acquire()
  try {
    return await use(connection)
  } finally {
    await release(connection)
  }
}
