// Starts the example: build the package, then `node examples/counter/server.mjs`.
import { randomBytes } from 'node:crypto'
import { createApp } from './app.mjs'

// Comma separated: the first key signs, the others still verify, which lets keys be changed in passing.
const keys = (process.env.SESSION_KEYS ?? '').split(',').filter(Boolean)
if (keys.length === 0) {
  keys.push(randomBytes(32).toString('base64url'))
  console.log('SESSION_KEYS is not set: keys are random, so all sessions end with this process')
}

const server = createApp({ keys }).listen(Number(process.env.PORT || 3000), 'localhost', () => {
  console.log(`http://localhost:${server.address().port}`)
})
