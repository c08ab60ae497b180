import { digest } from '../codec/digest.ts'
import type { MaxAge } from '../session/model.ts'
import type { CommitWork, SessionHost } from '../session/session.ts'
import type { Backend } from './backend.ts'
import type { Settings } from './settings.ts'

/** What a session is told by its request. */
export abstract class Host implements SessionHost {
  protected abstract readonly backend: Backend
  abstract readonly isDegraded: boolean
  abstract commit(work: CommitWork): Promise<void>

  get settings(): Settings {
    return this.backend.settings
  }

  get id(): string | undefined {
    return this.backend.id
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
