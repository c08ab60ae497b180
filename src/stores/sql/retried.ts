/** How often a statement is tried that collides with others. */
const TRIES = 10

/**
 * What `attempt` gives, tried again where the database has undone it in favour of another: each is one statement, and a
 * transaction of its own, so that it may be.
 */
export async function retried<T>(attempt: () => Promise<T>, isTransient: (error: unknown) => boolean): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt()
    } catch (error) {
      if (tries === TRIES || !isTransient(error)) throw error
    }
  }
}
