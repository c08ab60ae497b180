export { SessionError, type SessionErrorCode } from './errors.ts'
export { createSession, createSession as default, type SessionApp, type SessionMiddleware } from './koa/middleware.ts'
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
export type { Session as SessionMembers } from './session/session.ts'
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
