import { decode, decodeText, encode, encodeText } from './codec/json.ts'
import type { Secret } from './codec/keyring.ts'
import { sealingSecrets } from './codec/secrets.ts'
import { optionError } from './errors.ts'

/** Options as the user gave them. */
export type Given = Readonly<Record<string, unknown>>

/** How a cookie is sealed, as the options `seal`, `keys` and `chunks` say together. */
export interface Sealing {
  /** `undefined`: those of `app.keys`. */
  readonly keys: readonly Secret[] | undefined
  readonly acceptSigned: boolean
  /** The number of cookies that a value may take. */
  readonly chunks: number
}

/** JSON text as a value for the carrier. */
export interface TextCodec {
  readonly read?: (value: string) => string
  /** The text comes in two parts. */
  readonly write?: (text: string, more: string) => string
}

/** Sealing takes any text. */
export const PLAIN: TextCodec = { read: text => text, write: (text, more) => text + more }

/** How the text of a payload becomes the cookie's value. */
export function codecOf({ encode: write = encode, decode: read = decode }: Given): TextCodec {
  return { ...(read === decode && { read: decodeText }), ...(write === encode && { write: encodeText }) }
}

/** Throws `ERR_SESSION_OPTION` for what can't go together with it, and `ERR_SESSION_KEYS` for `keys` that will not do. */
export function sealingOf(given: Given): Sealing | undefined {
  const { seal, keys, chunks = false } = given
  if (!seal) {
    if (keys !== undefined) throw optionError('keys', keys, SEALED_ONLY)
    if (chunks) throw optionError('chunks', chunks, SEALED_ONLY)
    return undefined
  }
  const { read, write } = codecOf(given)
  const others = { encode: write ? undefined : given.encode, decode: read ? undefined : given.decode }
  for (const [option, value] of Object.entries({ ...others, externalKey: given.externalKey })) {
    if (value) throw optionError(option, value, 'nothing, as seal asks for')
  }
  return Object.freeze({
    keys: keys === undefined ? undefined : sealingSecrets(keys, 'option keys'),
    acceptSigned: Object(seal).acceptSigned === true,
    chunks: chunks === true ? 2 : Number(chunks) || 1,
  })
}

const SEALED_ONLY = 'nothing without the option seal'

/** Whether `value` says how to seal. */
export function isSealing(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const names = Object.keys(value)
  const { acceptSigned } = Object(value)
  return (
    names.every(name => name === 'acceptSigned') && (acceptSigned === undefined || typeof acceptSigned === 'boolean')
  )
}
