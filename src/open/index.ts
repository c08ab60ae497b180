/** What `koa-session/open` exports. The code is in the core, which has all else that it takes. */
export { type OpenedSession, type OpenOptions, openSession, type ReadSession } from '../index.ts'
