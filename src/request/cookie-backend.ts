import { refusePromise } from '../async.ts'
import type { Config } from '../config.ts'
import { SessionError } from '../errors.ts'
import { EMPTY, isFlatlySame, textOf, textOrNothing } from '../session/changes.ts'
import { endOf } from '../session/lifetime.ts'
import type { Difference, Found, Lifetime, Loaded, Payload } from '../session/model.ts'
import { endOfData, isPayload, NEWER, pack, packedEnd, UNDECODABLE } from '../session/payload.ts'
import { dataIn, dataOf, fill, type Session } from '../session/session.ts'
import { Kept, type Template } from '../session/template.ts'
import { kindOf } from '../value-kind.ts'
import { Backend, type Standing } from './backend.ts'
import type { EndReason, Told } from './exchange.ts'
import { isAwaited, isLookedAt, lookAt } from './looks.ts'
import { subjectIn } from './prepare.ts'
import { isRevoked } from './revoked.ts'
import { checkSchema } from './schema.ts'
import { upgradedPayload, versionsBehind } from './upgrade.ts'

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

  get waits(): boolean {
    return isAwaited(this.settings.config)
  }

  override get isPresented(): boolean {
    return this.exchange.hears('ended')
  }

  get isKnown(): boolean {
    return this.#template !== undefined || this.#payload !== undefined || this.#text !== undefined
  }

  override get standing(): Standing {
    return this.done === 'kept' ? { lost: 'gone' } : super.standing
  }

  load(presented: string): Loaded | Promise<Loaded> {
    const { config, remembered } = this.settings
    const kept = this.#keptOf(presented)
    if (kept && isAlive(kept.lifetime, config)) {
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
    const behind = versionsBehind(payload, config)
    if (behind < 0) return NEWER
    const upgraded = behind === 0 ? payload : upgradedPayload(config, payload)
    if (!upgraded) return UNDECODABLE
    return lookAt(this.exchange.ctx, config, upgraded, behind === 0 ? text : undefined)
  }

  override setAside(why: 'unread' | 'superseded' | 'newer'): void {
    if (why === 'newer') this.done = 'kept'
  }

  /** What was made of the presented value before; nothing where the application looks at it, and may write to it. */
  #keptOf(presented: string): Kept | undefined {
    const { config, remembered } = this.settings
    if (!remembered || isLookedAt(config) || config.schema) return undefined
    const { text = config.codec.read?.(presented) ?? '' } = remembered
    remembered.made ??= Kept.of(text) ?? 'nothing'
    return remembered.made instanceof Kept ? remembered.made : undefined
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
    const isReplaced = this.done === 'replaced'
    this.#next = this.#template?.after(session)
    this.#compared = this.#next?.text
    if (!isReplaced && this.#isFlatlySame(session)) return 'same'
    this.#compared ??= textOf(dataOf(session))
    if (!isReplaced && this.#has(this.#compared)) return 'same'
    return this.#compared === EMPTY ? 'emptied' : 'changed'
  }

  /** As far as that can be told without a text. */
  #isFlatlySame(session: Session): boolean {
    const template = this.#template
    if (!template) return this.#payload !== undefined && isFlatlySame(session, this.#payload, this.#reserved)
    return this.#next === template || (this.done === 'nothing' && template.isFlatlySame(session))
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

  #save(session: Session, isUnasked: boolean, isRegenerated = false): void {
    const { exchange, settings } = this
    const { config } = settings
    if (exchange.hasLeft) {
      this.#tellLate()
      return
    }
    if (this.done === 'kept') {
      const keys = isUnasked || this.#compared === this.#text ? [] : Object.keys(dataOf(session))
      if (keys.length > 0) exchange.emit({ type: 'gone', keys })
      this.#set(this.#compared)
      return
    }
    if (config.beforeSave) {
      refusePromise(config.beforeSave(exchange.ctx, session), 'beforeSave')
      this.compare(session)
    }
    const text = this.#compared ?? textOf(dataOf(session))
    refusePromise(checkSchema(config.schema, text), 'schema')
    const lifetime = settings.newLifetime(session, isRegenerated)
    const template = this.#next?.parsed()
    settings.made = template && new Kept(template, lifetime)
    exchange.send(this.#encoded(session, text, lifetime), isUnasked)
    if (this.done === 'replaced') this.#tellEnded('sign-out')
    if (!this.isKnown || this.done === 'replaced') this.#tell('created', session)
    else if (isRegenerated) this.#tell('regenerated', session)
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
    this.#save(session, false, true)
  }

  empty(): void {
    if (this.done !== 'kept') this.end('emptied')
  }

  end(reason: EndReason): void {
    if (this.exchange.hasLeft) {
      this.#tellLate()
      return
    }
    this.exchange.clear()
    if (this.isKnown || this.done === 'kept') this.#tellEnded(this.done === 'replaced' ? 'sign-out' : reason)
    this.#set(undefined)
    this.settings.begin()
    this.done = 'ended'
  }

  /** The cookie that is sent takes the place of the client's, whatever data that has. */
  renew(): void {
    if (this.isKnown || this.done === 'kept') this.done = 'replaced'
  }

  /** The client does not keep a session that was removed, where what was to take its place could not be sent. */
  override finish(): void {
    try {
      if (this.done === 'replaced') this.end('sign-out')
    } catch {}
  }

  #tell(type: Told['type'], data: object, reason?: EndReason): void {
    const { exchange, settings } = this
    if (!exchange.hears(type)) return
    exchange.emit({ type, id: undefined, subject: subjectIn(settings.config, () => data), ...(reason && { reason }) })
  }

  /** Of the session that the client had. */
  #tellEnded(reason: EndReason): void {
    if (!this.exchange.hears('ended')) return
    this.#tell('ended', this.#payload ?? JSON.parse(this.#template?.text ?? this.#text ?? EMPTY), reason)
  }

  #tellLate(): void {
    if (!this.#isLate) this.exchange.emit({ type: 'late' })
    this.#isLate = true
  }
}

function isAlive(lifetime: Lifetime, config: Config): boolean {
  const isOver = endOf(lifetime, config.now(), config.absoluteTimeout) || isRevoked(lifetime, config.notBefore)
  return !isOver && versionsBehind(lifetime, config) === 0
}
