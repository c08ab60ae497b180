/*
 * The session that is read and written: 42 keys that take 4 KB as JSON. Apart from the servers, because those who ask
 * them have to know what they are to find.
 */

export const user = '5f1d7c2e9a41'

const KEYS = 40
const text = index =>
  `the value of key ${index}, long enough that it takes about a hundred bytes with its name`.padEnd(90, '.')

export const large = { user, n: 1 }
for (let index = 0; index < KEYS; index++) large[`key${String(index).padStart(2, '0')}`] = text(index)

export const size = JSON.stringify(large).length
