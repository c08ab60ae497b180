/**
 * What was verified once, in one block of memory off the heap: the collector never looks at it, and nothing has to be
 * thrown away. The newest records are written over the oldest. A record is, in words of 32 bits,
 *
 *     whose | hash | length of the body | of the tag | of the text, in characters | and in bytes
 *
 * and then these three. Where it begins is a position that only grows, so that one that was overwritten is noticed.
 */
const HEADER = 24

/** What is verified together: `body` by `tag`, and the text that was sealed in them, where they are sealed. */
export interface Verified {
  readonly body: string
  readonly tag: string
  readonly text: string | undefined
}

export class Ring {
  readonly #bytes: Buffer
  readonly #words: Int32Array
  /** The position of the newest record, by the last bits of its hash. */
  readonly #index: Float64Array
  /** Where the next record begins. The first one is as far from 0, which is no position, as one that was overwritten. */
  #head: number

  /** `size`, in bytes, and `slots` are powers of 2. */
  constructor(size = 8 * 1024 * 1024, slots = 32_768) {
    this.#bytes = Buffer.allocUnsafeSlow(size)
    this.#words = new Int32Array(this.#bytes.buffer)
    this.#index = new Float64Array(slots)
    this.#head = 2 * size
  }

  /** Writes a record for `owner`, a whole number. One that is not ASCII, or larger than a sixteenth of all, is left out. */
  add(owner: number, hash: number, { body, tag, text = '' }: Verified): void {
    const bytes = this.#bytes
    // A character of a string has at most three bytes in UTF-8. With 4 more, what is not ASCII
    // takes too many even where it is cut off by the end.
    const most = HEADER + body.length + tag.length + text.length * 3 + 4
    if (most * 16 > bytes.length) return
    if ((this.#head % bytes.length) + most > bytes.length) this.#head += bytes.length - (this.#head % bytes.length)
    const at = this.#head % bytes.length
    let end = at + HEADER
    end += bytes.write(body, end)
    end += bytes.write(tag, end)
    const isPlain = end - at === HEADER + body.length + tag.length
    const size = text === '' ? 0 : bytes.write(text, end)
    const words = this.#words
    let word = at >> 2
    // A list of them would be one more thing to collect.
    words[word++] = owner
    words[word++] = hash
    words[word++] = body.length
    words[word++] = tag.length
    words[word++] = text.length
    words[word] = size
    if (isPlain) this.#index[hash & (this.#index.length - 1)] = this.#head
    this.#head += (end + size - at + 3) & ~3
  }

  /** What was written for `owner` with this body and a tag of this length; strings of its own. */
  find(owner: number, hash: number, body: string, tagLength: number): Verified | undefined {
    const position = this.#index[hash & (this.#index.length - 1)] as number
    if (position < this.#head - this.#bytes.length) return undefined
    const at = position % this.#bytes.length
    const word = at >> 2
    const words = this.#words
    if (words[word] !== owner || words[word + 1] !== hash) return undefined
    if (words[word + 2] !== body.length || words[word + 3] !== tagLength) return undefined
    const tagAt = at + HEADER + body.length
    const known = this.#bytes.toString('latin1', at + HEADER, tagAt)
    if (known !== body) return undefined
    const textAt = tagAt + tagLength
    const size = words[word + 5] as number
    const text = this.#bytes.toString(size === words[word + 4] ? 'latin1' : 'utf8', textAt, textAt + size)
    return { body: known, tag: this.#bytes.toString('latin1', tagAt, textAt), text: text === '' ? undefined : text }
  }
}
