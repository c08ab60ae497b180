// The module has the function as its default and under its name.

import Koa from 'koa'
import * as all from 'koa-session'
import session, { createSession, SessionError } from 'koa-session'

const app = new Koa()

app.use(session(app))
app.use(createSession(app))
app.use(all.default(app))
app.use(all.createSession(app))
const error: all.SessionError = new SessionError('ERR_SESSION_STORE', 'text')
// @ts-expect-error: a namespace is no function
all(app)
// @ts-expect-error: a function is no namespace, other than with require()
session.SessionError

export { error }
