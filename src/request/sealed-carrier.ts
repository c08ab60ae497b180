import { join, split } from '../codec/chunks.ts'
import { decodeText } from '../codec/json.ts'
import { createKeyrings, type Keyring, type SealingKey } from '../codec/keyring.ts'
import { Memory } from '../codec/memory.ts'
import type { Verified } from '../codec/ring.ts'
import { type Opened, open, type SealContext, seal, sealContext } from '../codec/sealed.ts'
import { listOfSecrets, refuseWeak } from '../codec/secrets.ts'
import { LARGEST_COOKIE, tooLarge } from '../codec/size.ts'
import type { Config } from '../config.ts'
import type { Sealing } from '../sealing.ts'
import type { Refused } from '../session/model.ts'
import { FORGED, UNDECODABLE } from '../session/payload.ts'
import type { Carrier } from './carrier.ts'
import { type Cookie, type CookieJar, type JarAccess, type Lines, NO_LINES } from './jar.ts'

/** What a sealed value is for: a whole session, or the id of a stored one. */
type Purpose = 'session' | 'id'

/**
 * What a request may bring in several cookies, in bytes: nginx takes a line of 8 kB, and Node all headers together of
 * 16 kB. Whose cookies are larger is locked out.
 */
const LARGEST_LINE: Readonly<Record<number, number>> = { 2: 7000, 3: 12_000 }
const MOST_CHUNKS = 3
/** The last characters of a sealed value, which have its tag: as many as a signature has, which are compared like them. */
const TAG_LENGTH = 27

/** What sealing needs of the application: its cookies, and its secrets where the option `keys` is not set. */
export interface SealedSurroundings {
  readonly jar: CookieJar
  appKeys(ctx: unknown): unknown
}

/** The value in one cookie, sealed, or in several that are numbered from the second on. */
export function sealedCarrier(
  own: Config,
  { keys, acceptSigned, chunks }: Sealing,
  purpose: Purpose,
  { jar, appKeys }: SealedSurroundings,
): Carrier {
  const keyrings = createKeyrings()
  const ownContext = sealContext(purpose, own.key)
  const pieces = Array.from({ length: MOST_CHUNKS }, (_, at) =>
    jar({ isPlain: true, suffix: at === 0 ? '' : `.${at}` }),
  )
  const [first] = pieces as [Cookie]
  const signed = jar({ isPlain: true, signed: true })
  const signature = jar({ isPlain: true, suffix: '.sig' })
  const memory = own.remember > 0 ? new Memory(own.remember) : undefined
  let checked: Keyring | undefined

  function keyring(ctx: unknown): Keyring {
    const name = keys ? 'option keys' : 'app.keys'
    const secrets = listOfSecrets(keys ?? appKeys(ctx), name)
    const ring = keyrings(secrets)
    if (ring !== checked) refuseWeak(secrets, name)
    checked = ring
    return ring
  }

  function contextFor({ settings }: JarAccess): SealContext {
    const { key } = settings.config
    return key === own.key ? ownContext : sealContext(purpose, key)
  }

  /** Nothing where the options are those of one response, or the cookies are a framework's own. */
  function memoryFor({ settings, jarState }: JarAccess, [key]: Keyring): Memory | undefined {
    return settings.config === own && jarState !== undefined ? memory?.for(key as SealingKey) : undefined
  }

  function opened(at: JarAccess, value: string, ring: Keyring): Opened {
    const known = memoryFor(at, ring)
    const remembered = known?.find(value.slice(0, -TAG_LENGTH), value.slice(-TAG_LENGTH))
    at.settings.remembered = remembered
    if (remembered?.text !== undefined) return { text: remembered.text, position: 0 }
    const opened = open(value, ring, contextFor(at))
    if (!opened.fault && opened.position === 0) known?.add(verified(value, opened.text))
    return opened
  }

  /** The `nth` sealed value, in one cookie or in several: of those after the first nobody brings two. */
  function presented(at: JarAccess, nth: number): string | Refused | undefined {
    const value = first.get(at, nth)
    return typeof value === 'string' ? joined(at, value) : value
  }

  function joined(at: JarAccess, value: string): string | Refused {
    const pieceOf = (number: number) => {
      const piece = pieces[number]?.get(at, 0)
      return typeof piece === 'string' ? piece : undefined
    }
    return join(value, pieceOf, chunks) ?? UNDECODABLE
  }

  function read(at: JarAccess, nth: number): string | Refused | undefined {
    // Not when there is something to open: wrong secrets are told of without a cookie, too.
    const ring = keyring(at.ctx)
    let left = nth
    let refused: Refused | undefined
    let mayBeSigned = false
    for (let number = 0; ; number++) {
      const value = presented(at, number)
      if (value === undefined) break
      const found = typeof value === 'string' ? opened(at, value, ring) : undefined
      if (found && !found.fault) {
        if (left-- > 0) continue
        if (found.position > 0) at.settings.isStale = true
        return found.text
      }
      const isForged = found?.fault === 'signature'
      // What failed to open is refused, whatever signed it; what has another layout can be a signed cookie.
      mayBeSigned ||= acceptSigned && !isForged
      refused ??= isForged ? FORGED : UNDECODABLE
    }
    return (mayBeSigned ? readSigned(at, left, ring) : undefined) ?? (nth === 0 ? refused : undefined)
  }

  function readSigned(at: JarAccess, nth: number, ring: Keyring): string | Refused | undefined {
    const value = signed.get(at, nth)
    if (typeof value !== 'string') return value
    // What has the layout of a sealed value is one, or is refused, whatever signed it.
    if (open(value, ring, contextFor(at)).fault === 'signature') return FORGED
    at.settings.isStale = true
    return purpose === 'id' ? value : decodeText(value)
  }

  /** Deletes what an earlier, larger value, or a signed one, left behind. */
  function clearRest(at: JarAccess, count: number): Lines {
    let lines = NO_LINES
    for (let number = count; number <= pieces.length; number++) {
      const piece = pieces[number] ?? (acceptSigned ? signature : undefined)
      if (piece?.isPresent(at)) lines = [...lines, ...piece.clear(at, NO_LINES)]
    }
    return lines
  }

  return {
    usesCookies: true,
    read,

    write(at, text, earlier) {
      const ring = keyring(at.ctx)
      const value = seal(text, ring, contextFor(at))
      memoryFor(at, ring)?.add(verified(value, text), at.settings.made, at.settings.remembered)
      const [part = '', ...others] = partsOf(value, at.settings.config.key, chunks)
      const lines = first.set(at, part, earlier)
      const more = others.flatMap((other, n) => (pieces[n + 1] as Cookie).set(at, other, NO_LINES))
      const rest = clearRest(at, others.length + 1)
      return more.length + rest.length > 0 ? [...lines, ...more, ...rest] : lines
    },

    clear(at, earlier) {
      const lines = first.clear(at, earlier)
      return [...lines, ...clearRest(at, 1)]
    },

    check(at) {
      first.check(at, '')
      keyring(at.ctx)
    },
  }
}

function verified(value: string, text: string): Verified {
  return { body: value.slice(0, -TAG_LENGTH), tag: value.slice(-TAG_LENGTH), text }
}

/** `value` in as many cookies as it takes, up to `chunks`. Throws `ERR_SESSION_TOO_LARGE`. */
function partsOf(value: string, key: string, chunks: number): readonly string[] {
  const size = key.length + value.length
  const largest = LARGEST_LINE[chunks]
  if (largest === undefined) {
    if (size > LARGEST_COOKIE) throw tooLarge(key, size, LARGEST_COOKIE, ', or in several cookies (option chunks)')
    return [value]
  }
  // In the request, each has a name that ends in a number, a `=`, and a `; ` before the next.
  const isFit = value.length + chunks * (key.length + 5) <= largest
  const parts = isFit ? split(value, { limit: LARGEST_COOKIE - key.length - 2, max: chunks }) : undefined
  if (!parts) throw tooLarge(key, size, largest)
  return parts
}
