export { SessionError, type SessionErrorCode } from './errors.ts'
export type { SessionApp, SessionMiddleware } from './koa/middleware.ts'
export { createSession, createSession as default } from './koa/middleware.ts'
export { type OpenedSession, type OpenOptions, openSession, type ReadSession } from './open/open.ts'
export type {
  CookieOptions,
  CreateSessionOptions,
  ExternalKey,
  SessionOptions,
  StandardSchema,
} from './options.ts'
export type { SessionCommitMessage, SessionStoreMessage } from './request/tracing.ts'
export type { CommitCallback, CommitOptions, MaxAge, RegenerateOptions } from './session/model.ts'
export type {
  AllOptions,
  Answer,
  ListedSession,
  ListOptions,
  Patch,
  Patched,
  Retire,
  Store,
  StoreCall,
  StoredLifetime,
  StoredPayload,
  StoredRecord,
  StoredSession,
  StoreGetCall,
  StoreSetCall,
  Subject,
  Which,
  Whose,
} from './stores/store.ts'
export type { Session, SessionContext, SessionData } from './types.ts'
