import { createKeyrings } from '../codec/keyring.ts'
import { type Opened, open, sealContext } from '../codec/sealed.ts'
import { signerIn } from '../codec/signature.ts'
import type { Presented } from './cookies.ts'

/** What keeps a client from writing a cookie of its own. */
export type Protection = 'signed' | 'sealed' | 'unsigned'

/** What can be said of where a value comes from. */
export interface Proof {
  readonly protection: Protection
  /** Why it is not proved that the application wrote it; `secrets`: there are none to prove it with. */
  readonly fault?: 'signature' | 'undecodable' | 'secrets'
  /** The position of the secret that signed or sealed it, 0 for the newest. */
  readonly secret?: number
  /** What was sealed, and whether that is the id of a stored session or a whole one. */
  readonly opened?: { readonly text: string; readonly isId: boolean }
}

export interface ProofOptions {
  readonly key: string
  /** Newest first. */
  readonly secrets: readonly string[]
  /** Whether the application asks for no signature (`signed: false`). */
  readonly unsigned: boolean
}

/** A value that is there. */
export type Value = Presented & { readonly value: string }

/** Who wrote the value. How it is protected is told from how it looks: a cookie does not say it. */
export function prove(presented: Value, options: ProofOptions): Proof {
  const isInPieces = presented.pieces > 1
  const sealed = isInPieces || looksSealed(presented.value) ? unseal(presented.value, options) : undefined
  // The signature of the cookie that a sealed one took the place of may still be there.
  if (sealed && (isInPieces || !sealed.fault)) return sealed
  if (options.unsigned) return { protection: 'unsigned' }
  if (presented.signature !== undefined) return verify(presented.value, presented.signature, options)
  return sealed ?? { protection: 'unsigned', fault: 'signature' }
}

/** As long as sealed text of nothing is, and with its version in front (`sealed.ts`). */
function looksSealed(value: string): boolean {
  return value.length >= 44 && /^A[Q-Za-f]/.test(value)
}

function unseal(value: string, { key, secrets }: ProofOptions): Proof {
  const protection = 'sealed'
  if (secrets.length === 0) return { protection, fault: 'secrets' }
  const keyring = createKeyrings()(secrets)
  const openFor = (purpose: string): Opened => open(value, keyring, sealContext(purpose, key))
  const session = openFor('session')
  if (!session.fault) return { protection, secret: session.position, opened: { text: session.text, isId: false } }
  const id = openFor('id')
  if (!id.fault) return { protection, secret: id.position, opened: { text: id.text, isId: true } }
  return { protection, fault: session.fault }
}

/** The signature is that of Keygrip, which Koa's cookies are signed with: HMAC-SHA1 of name and value, in base64url. */
function verify(value: string, signature: string, { key, secrets }: ProofOptions): Proof {
  const protection = 'signed'
  if (secrets.length === 0) return { protection, fault: 'secrets' }
  const secret = signerIn(secrets, `${key}=${value}`, signature)
  return secret < 0 ? { protection, fault: 'signature' } : { protection, secret }
}
