/*
 * Cookies by the hundred and sessions by the million, and what these take of the heap: what a store costs shows when
 * it is full.
 */

import { randomUUID } from 'node:crypto'
import { cookiesOf, exchange } from './exchange.mjs'

// One among many cookies of other software, as analytics and consent banners leave them.
const other = index => `other_cookie_${index}=0123456789abcdefghij`

// The session's cookie in the middle of the others, where a client may well have it.
export function amongOthers(cookie, count) {
  const others = Array.from({ length: count }, (_, index) => other(index))
  return Buffer.from(others.toSpliced(count / 2, 0, cookie).join('; '))
}

// A store may keep of a request more than it needs; that it does shows only when there is more.
const othersOfUser = 10

// A prime, to use every session once without the order in which they came: a store may favour that one.
const stride = 7919

function heapUsed() {
  globalThis.gc()
  globalThis.gc()
  return process.memoryUsage().heapUsed
}

// The text of all cookies outside of the heap, so that the heap holds nothing but what the store does.
export function cookieTable(count, lineOf) {
  const width = lineOf(0).length
  const bytes = Buffer.alloc(count * width)
  for (let i = 0; i < count; i++) bytes.latin1Write(lineOf(i), i * width)
  const at = index => bytes.subarray(index * width, (index + 1) * width)
  return { at, any: () => at(Math.floor(Math.random() * count)) }
}

export const cookieOf = (id, signature) => `koa.sess=${id}; koa.sess.sig=${signature}`
const idWidth = randomUUID().length
const idIn = cookie => cookie.latin1Slice('koa.sess='.length, 'koa.sess='.length + idWidth)

// By how many bytes of heap for each of its sessions a store has grown when the work is done.
async function grown(store, count, work) {
  const before = heapUsed()
  await work(store)
  const each = Math.round((heapUsed() - before) / count)
  // Asked for after the heap was measured, so that the store was not collected until then.
  if (store.size !== count) throw new Error(`the store holds ${store.size} sessions`)
  return each
}

/*
 * A full store, its sessions put there without a request each, which would take minutes, but with the very payload and
 * the very cookie that the middleware makes of one. `heap` tells the bytes that a session takes: without its content,
 * with it, and after a request with other cookies has used it; and how long a collection of all that takes (ms).
 */
export async function fill(count, memoryStore, seed, callbackOf) {
  let [saved, keys] = []
  const recorder = { get: () => undefined, set: (...parameters) => (saved = parameters), destroy: () => undefined }
  const plant = callbackOf(recorder, ctx => {
    keys = ctx.cookies.keys
    Object.assign(ctx.session, seed)
  })
  const sent = cookiesOf(await exchange(plant))
  const signed = id => cookieOf(id, keys.sign(`koa.sess=${id}`))
  const [ownId, payload, ...rest] = saved
  if (!sent.equals(Buffer.from(signed(ownId)))) throw new Error(`not the cookie that was foreseen: ${sent}`)

  const table = cookieTable(count, () => signed(randomUUID()))
  const put = payload => store => {
    for (let i = 0; i < count; i++) store.set(idIn(table.at(i)), payload, ...rest)
  }
  const store = memoryStore({ max: count })
  const full = await grown(store, count, put(payload))

  async function heap() {
    const callback = callbackOf(store, ctx => {
      ctx.session.n += 1
    })
    const useAll = async () => {
      for (let i = 0; i < count; i++)
        await exchange(callback, amongOthers(table.at((i * stride) % count), othersOfUser))
    }
    // A request for each of more sessions would take minutes, and tell the same.
    const used = count <= 1e5 ? full + (await grown(store, count, useAll)) : undefined
    const empty = await grown(memoryStore({ max: count }), count, put({}))
    const began = performance.now()
    globalThis.gc()
    const collection = Math.round(performance.now() - began)
    return { empty, full, used, text: JSON.stringify(payload).length, collection }
  }

  return { store, table, heap }
}
