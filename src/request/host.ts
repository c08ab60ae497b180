import { digest } from '../codec/digest.ts'
import type { MaxAge } from '../session/model.ts'
import type { CommitWork, SessionHost } from '../session/session.ts'
import type { Backend } from './backend.ts'
import type { Settings } from './settings.ts'

/** A session that takes the place of another one, as long as no commit has had it. */
interface Renewal {
  /** Whether the one before is to be ended. */
  readonly isToEnd: boolean
  /** The id that it gets in a store, once it was made. */
  id?: string | undefined
  /** Whether a commit that somebody asked for is still to come. */
  isAsked: boolean
}

/** What a session is told by its request. */
export abstract class Host implements SessionHost {
  protected abstract readonly backend: Backend
  protected renewal: Renewal | undefined
  abstract readonly isDegraded: boolean
  abstract commit(work: CommitWork): Promise<void>

  get settings(): Settings {
    return this.backend.settings
  }

  get id(): string | undefined {
    if (!this.renewal) return this.backend.id
    this.renewal.id ??= this.backend.newId()
    return this.renewal.id
  }

  get handle(): string | undefined {
    return this.id === undefined ? undefined : digest(this.id)
  }

  get maxAge(): MaxAge {
    return this.settings.maxAge
  }

  set maxAge(value: MaxAge) {
    this.settings.choose(value)
  }
}
