import { andThen, isAsyncFunction, refusePromise } from '../async.ts'
import { SessionError } from '../errors.ts'
import { EMPTY, isFlatlySame, textOf, textOrNothing } from '../session/changes.ts'
import { endOf } from '../session/lifetime.ts'
import type { Difference, Found, Lifetime, Loaded, Payload } from '../session/model.ts'
import { endOfData, isPayload, pack, packedEnd, UNDECODABLE } from '../session/payload.ts'
import { dataIn, dataOf, fill, type Session } from '../session/session.ts'
import { Kept, type Template } from '../session/template.ts'
import { kindOf } from '../value-kind.ts'
import { Backend } from './backend.ts'
import { checkSchema, passesSchema } from './schema.ts'

/** What `decode` gave up on. */
const NOISE = Symbol('noise')

/** The whole session is in the cookie. Its commit is sync, so that it can happen when the headers leave. */
export class CookieBackend extends Backend {
  /** The JSON that the session was read from, and where the data ends in it. */
  #read = ''
  #end = 0
  /** What was read, where it tells what the data was. */
  #payload: Payload | undefined
  #reserved = 0
  /** The text of the data that the client has, where it is none of the two above. */
  #text: string | undefined
  /** The data that the client has, where they were remembered; and what they were when they were compared last. */
  #template: Template | undefined
  #next: Template | undefined
  /** The text of the data when it was compared last, where that took one. */
  #compared: string | undefined
  /** Whether the application was told that a change came too late. */
  #isLate = false

  /** An async `valid` is awaited before the handler. */
  get waits(): boolean {
    return isAsyncFunction(this.settings.config.valid)
  }

  get isKnown(): boolean {
    return this.#template !== undefined || this.#payload !== undefined || this.#text !== undefined
  }

  get id(): undefined {
    return undefined
  }

  load(presented: string): Loaded | Promise<Loaded> {
    const { config, remembered } = this.settings
    const { ctx } = this.exchange
    const kept = this.#keptOf(presented)
    if (kept && !endOf(kept.lifetime, config.now(), config.absoluteTimeout)) {
      this.#template = kept.template
      return { lifetime: kept.lifetime }
    }
    const text = remembered?.text ?? config.codec.read?.(presented)
    const payload = refusePromise(this.#decoded(presented, text), 'decode')
    if (payload === NOISE) return UNDECODABLE
    if (!payload) return { fault: 'missed', reason: 'missing', value: payload }
    if (!isPayload(payload)) return UNDECODABLE
    const end = endOf(payload, config.now(), config.absoluteTimeout)
    if (end) return { fault: 'expired', reason: end, value: payload }
    return config.valid ? this.#validated(payload, text, config.valid(ctx, payload)) : this.#checked(payload, text)
  }

  /** What was made of the presented value before; nothing where the application looks at it, and may write to it. */
  #keptOf(presented: string): Kept | undefined {
    const { config, remembered } = this.settings
    if (!remembered || config.valid || config.schema) return undefined
    const { text = config.codec.read?.(presented) ?? '' } = remembered
    remembered.made ??= Kept.of(text) ?? 'nothing'
    return remembered.made instanceof Kept ? remembered.made : undefined
  }

  #validated(payload: Payload, text: string | undefined, valid: unknown): Loaded | Promise<Loaded> {
    return andThen(this.waits ? valid : refusePromise(valid, 'valid'), isValid =>
      isValid ? this.#checked(payload, text) : { fault: 'invalid', reason: 'valid', value: payload },
    )
  }

  #checked(payload: Payload, text: string | undefined): Loaded {
    const { config } = this.settings
    const passes = refusePromise(passesSchema(config.schema, payload), 'schema')
    if (!passes) return { fault: 'invalid', reason: 'schema', value: payload }
    // What looks at the payload may write to it; and another encode may not write what this text is.
    const isOurs = !config.valid && config.codec.write !== undefined
    return { payload, lifetime: payload, text: isOurs ? text : undefined }
  }

  /** What the cookie says; `text` is its JSON, where that can be told. */
  #decoded(presented: string, text: string | undefined): unknown {
    try {
      return text === undefined ? this.settings.config.decode(presented) : JSON.parse(text)
    } catch (error) {
      if (!(error instanceof Error) || error instanceof SyntaxError) return NOISE
      // The next request would only throw again.
      this.exchange.clear()
      throw error
    }
  }

  fill(session: Session, { payload = {}, text, lifetime }: Found): boolean {
    this.#template?.fill(session)
    const reserved = fill(session, payload)
    this.expiresAt = typeof lifetime._expire === 'number' ? lifetime._expire : undefined
    if (this.#template) return true
    this.#reserved = reserved
    this.#payload = text === undefined ? { ...payload } : payload
    this.#read = text ?? ''
    this.#end = (text !== undefined && endOfData(text, reserved)) || 0
    if (this.#end > 0 || isFlatlySame(session, this.#payload, reserved)) return true
    this.#payload = undefined
    this.#text = textOrNothing(dataOf(session))
    return this.#text !== undefined
  }

  compare(session: Session): Difference {
    this.#next = this.#template?.after(session)
    this.#compared = this.#next?.text
    if (this.#next && this.#next === this.#template) return 'same'
    if (this.#template && this.done === 'nothing' && this.#template.isFlatlySame(session)) return 'same'
    if (this.#payload && isFlatlySame(session, this.#payload, this.#reserved)) return 'same'
    this.#compared ??= textOf(dataOf(session))
    if (this.#has(this.#compared)) return 'same'
    return this.#compared === EMPTY ? 'emptied' : 'changed'
  }

  #has(text: string): boolean {
    if (this.#template) return text === this.#template.text
    const end = this.#end
    if (end > 0) return end === text.length - 1 && this.#read.slice(0, end) === text.slice(0, end)
    if (this.#payload) this.#text ??= JSON.stringify(dataIn(this.#payload))
    return text === this.#text
  }

  save(session: Session): void {
    this.#save(session, false)
  }

  #save(session: Session, isUnasked: boolean): void {
    const { exchange, settings } = this
    const { config } = settings
    if (exchange.hasLeft) {
      this.#tellLate()
      return
    }
    if (config.beforeSave) {
      refusePromise(config.beforeSave(exchange.ctx, session), 'beforeSave')
      this.compare(session)
    }
    const text = this.#compared ?? textOf(dataOf(session))
    refusePromise(checkSchema(config.schema, text), 'schema')
    const lifetime = settings.newLifetime(session)
    const template = this.#next?.parsed()
    settings.made = template && new Kept(template, lifetime)
    exchange.send(this.#encoded(session, text, lifetime), isUnasked)
    this.#set(text)
    this.#template = this.#next
    this.committed(lifetime)
  }

  /** Once the headers have left it stays as it is. */
  override extend(session: Session): void {
    if (!this.exchange.hasLeft) this.#save(session, true)
  }

  #encoded(session: Session, text: string, lifetime: Lifetime): string {
    const { codec, encode } = this.settings.config
    if (codec.write) return codec.write(text.slice(0, -1), packedEnd(text, lifetime))
    const value = refusePromise(encode(pack(dataOf(session), lifetime)), 'encode')
    if (typeof value === 'string') return value
    throw new SessionError('ERR_SESSION_ENCODE', `the option encode returned ${kindOf(value)}, expected a string`)
  }

  #set(text: string | undefined): void {
    this.#text = text
    this.#template = this.#payload = undefined
    this.#end = 0
  }

  regenerate(session: Session): void {
    this.save(session)
  }

  empty(): void {
    this.end()
  }

  end(): void {
    if (this.exchange.hasLeft) {
      this.#tellLate()
      return
    }
    this.exchange.clear()
    this.#set(undefined)
    this.settings.begin()
    this.done = 'ended'
  }

  /** The cookie that is sent takes the place of the client's. */
  renew(): void {}

  #tellLate(): void {
    if (!this.#isLate) this.exchange.emit({ type: 'late' })
    this.#isLate = true
  }
}
