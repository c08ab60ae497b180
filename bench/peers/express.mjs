/*
 * express-session on Express, with its own MemoryStore. `resave` and `saveUninitialized` are off, as in its
 * documentation's advice: with them on it would do more than the others.
 */

import express from 'express'
import { lifetime, secret } from './settings.mjs'

// In production it warns of its MemoryStore, once per application.
console.warn = () => undefined

export async function open({ peer, rolling = false }) {
  const session = peer && (await import('express-session')).default
  const store = session && new session.MemoryStore()

  return handle => {
    const app = express()
    if (session) {
      const cookie = { maxAge: lifetime }
      app.use(session({ secret, store, cookie, rolling, resave: false, saveUninitialized: false }))
    }
    app.get('/', (request, response) => {
      handle(request)
      response.send('ok')
    })
    return app
  }
}
