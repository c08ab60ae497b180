/*
 * The least code that does the same job as a session in a signed or sealed cookie: what is above it, a session package
 * has added. It writes the very cookies of this release, with the same attributes, Vary, Cache-Control and hook, so that
 * each can read what the other wrote. It serves nothing but the cases of this bench and is never shipped: no second
 * secret, no `ctx.session = null`, no errors, no events. Its primitives are those of node:crypto as they are documented.
 */

import * as crypto from 'node:crypto'

const ALGORITHM = 'aes-256-gcm'
const OPTIONS = { authTagLength: 16 }
const END = ',"_expire":'

/* `write(text)` gives the pairs of name and value that carry `text`, `read(header)` the text of those that are good. */
export function floorCodec(secret, isSealed, key = 'koa.sess') {
  return isSealed ? sealedCodec(secret, key) : signedCodec(secret, key)
}

function valueIn(header, start) {
  const at = header.startsWith(start) ? 0 : header.indexOf(`; ${start}`) + 2
  if (at === 1) return undefined
  const end = header.indexOf(';', at)
  return header.slice(at + start.length, end < 0 ? header.length : end)
}

/* The HMAC-SHA1 of node:crypto, or two one-shot hashes where it has them: whichever costs less. */
function hmacOf(secret) {
  const key = crypto.createSecretKey(secret, 'utf8')
  if (!crypto.hash) return text => crypto.createHmac('sha1', key).update(text).digest('base64url')
  if (secret.length > 64 || /[^ -~]/.test(secret)) throw new Error('the floor takes a short secret of ASCII')
  const padded = byte => Buffer.from(secret.padEnd(64, '\0')).map(one => one ^ byte)
  const [inner, outer] = [Buffer.from(padded(0x36)).toString(), Buffer.concat([padded(0x5c), Buffer.alloc(20)])]
  return text => {
    outer.latin1Write(crypto.hash('sha1', inner + text, 'binary'), 64)
    return crypto.hash('sha1', outer, 'base64url')
  }
}

function signedCodec(secret, key) {
  const hmac = hmacOf(secret)
  const sign = value => hmac(`${key}=${value}`)
  const [ours, theirs] = [Buffer.alloc(27), Buffer.alloc(27)]
  const isGood = (value, signature) => {
    if (signature?.length !== 27) return false
    ours.latin1Write(sign(value))
    theirs.latin1Write(signature)
    return crypto.timingSafeEqual(ours, theirs)
  }
  return {
    presented: header => [valueIn(header, `${key}=`), valueIn(header, `${key}.sig=`)],
    open: ([value, signature]) => (isGood(value, signature) ? Buffer.from(value, 'base64').toString() : undefined),
    write(text) {
      const value = Buffer.from(text).toString('base64')
      return [value, sign(value)]
    },
    names: [`${key}=`, `${key}.sig=`],
  }
}

function sealedCodec(secret, key) {
  const derive = (what, length) =>
    Buffer.from(crypto.hkdfSync('sha256', secret, 'koa-session', `koa-session sealed 1 ${what}`, length))
  const cipherKey = crypto.createSecretKey(derive('key', 32))
  const head = Buffer.concat([Buffer.from([1]), derive('hint', 4)])
  const associated = Buffer.concat([head, Buffer.from(JSON.stringify(['session', key]))])
  const nonces = Buffer.alloc(4092)
  let used = nonces.length
  const nonce = () => {
    if (used === nonces.length) {
      crypto.randomFillSync(nonces)
      used = 0
    }
    used += 12
    return nonces.subarray(used - 12, used)
  }
  return {
    presented: header => [valueIn(header, `${key}=`)],
    open([value]) {
      const bytes = Buffer.from(value, 'base64url')
      const decipher = crypto.createDecipheriv(ALGORITHM, cipherKey, bytes.subarray(5, 17), OPTIONS)
      decipher.setAAD(associated)
      decipher.setAuthTag(bytes.subarray(-16))
      const text = decipher.update(bytes.subarray(17, -16))
      decipher.final()
      return text.toString()
    },
    write(text) {
      const iv = nonce()
      const cipher = crypto.createCipheriv(ALGORITHM, cipherKey, iv, OPTIONS)
      cipher.setAAD(associated)
      const sealed = cipher.update(text, 'utf8')
      cipher.final()
      return [Buffer.concat([head, iv, sealed, cipher.getAuthTag()]).toString('base64url')]
    },
    names: [`${key}=`],
  }
}

/* What was verified, by the value as it came: a Map and nothing more. A browser's next request brings what was written. */
function remembering(codec) {
  const known = new Map()
  const remember = ([value, signature], text) => {
    if (known.size >= 1000) known.clear()
    if (text) known.set(value, { signature, text })
  }
  return {
    ...codec,
    open(presented) {
      const found = known.get(presented[0])
      if (found && found.signature === presented[1]) return found.text
      const text = codec.open(presented)
      remember(presented, text)
      return text
    },
    write(text) {
      const written = codec.write(text)
      remember(written, text)
      return written
    },
  }
}

/* The middleware, with the options of this package that the cases use. */
export const createFloor = remembers => (options, app) => {
  const plain = floorCodec(app.keys[0], options.seal === true)
  const codec = remembers ? remembering(plain) : plain
  const { maxAge, rolling } = options
  let [second, attributes] = []
  const attributesNow = now => {
    const next = Math.floor((now + maxAge) / 1000)
    if (next !== second) attributes = `; path=/; expires=${new Date(next * 1000).toUTCString()}; httponly`
    second = next
    return attributes
  }

  class Request {
    data
    created
    text = '{}'
    constructor({ res, req }) {
      const { writeHead } = res
      res.writeHead = (...line) => {
        res.writeHead = writeHead
        this.leave(res)
        return writeHead.apply(res, line)
      }
      this.header = req.headers.cookie
    }

    get session() {
      this.data ??= this.load()
      return this.data
    }

    load() {
      const presented = this.header && codec.presented(this.header)
      const text = presented?.[0] && codec.open(presented)
      if (!text) return {}
      const data = JSON.parse(text)
      if (!(data._expire > Date.now())) return {}
      this.created = data._meta?.created
      // The last ones, and from the end: so that the object stays a fast one.
      delete data._meta
      delete data._maxAge
      delete data._expire
      this.text = `${text.slice(0, text.lastIndexOf(END))}}`
      return data
    }

    leave(res) {
      const text = JSON.stringify(this.session)
      res.setHeader('Vary', 'Cookie')
      if (text === this.text && (!rolling || text === '{}')) return
      const now = Date.now()
      const meta = options.seal ? `,"_meta":{"created":${this.created ?? now}}` : ''
      const values = codec.write(`${text.slice(0, -1)}${END}${now + maxAge},"_maxAge":${maxAge}${meta}}`)
      const lines = values.map((value, at) => codec.names[at] + value + attributesNow(now))
      res.setHeader('Set-Cookie', lines)
      res.setHeader('Cache-Control', 'no-store')
    }
  }

  const slot = Symbol('floor')
  const requestOf = ctx => (ctx[slot] ??= new Request(ctx))
  Object.defineProperty(app.context, 'session', {
    get() {
      return requestOf(this).session
    },
  })
  return (ctx, next) => {
    if (rolling) requestOf(ctx)
    return next()
  }
}
