// `require` gives the function, with the exports as its properties.

import Koa = require('koa')
import whole = require('koa-session')

import * as all from 'koa-session'
import session, { createSession, default as named, type Session, SessionError, type SessionOptions } from 'koa-session'

import memory = require('koa-session/memory')

const app = new Koa()
const options: whole.SessionOptions & SessionOptions = { store: memory.memoryStore() }

app.use(whole(options, app))
app.use(whole.default(options, app))
app.use(whole.createSession(options, app))
app.use(session(options, app))
app.use(createSession(options, app))
app.use(named(options, app))
app.use(all.createSession(options, app))

const error: SessionError = new whole.SessionError('ERR_SESSION_STORE', 'text')
const code: whole.SessionErrorCode = new SessionError('ERR_SESSION_STORE', error.message).code
const visit = (given: Session<{ a: 1 }>): whole.Session<{ a: 1 }> => given
export = { code, visit }
