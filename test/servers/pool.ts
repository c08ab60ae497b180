import pg from 'pg'

/**
 * A pool of pg. A server that stops tells the connections that were ended just before, which is the pool's error: without
 * a listener it ends the process.
 */
export const poolOf = (config: pg.PoolConfig): pg.Pool => new pg.Pool(config).on('error', () => {})
