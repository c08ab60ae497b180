/** A process that does not exist. */
import type { Surroundings } from '../../src/cli/run.ts'

type Given = Partial<Omit<Surroundings, 'admin'>> & { readonly admin?: Partial<Surroundings['admin']> }

export function surroundings({ admin, ...others }: Given = {}): Surroundings {
  return {
    environment: {},
    readInput: async () => undefined,
    now: () => 0,
    random: Buffer.alloc,
    version: '8',
    ...others,
    admin: {
      load: () => {
        throw new Error('nothing is asked')
      },
      print: async () => {},
      working: (_what, _done, work) => work(),
      interruption: () => new AbortController().signal,
      ...admin,
    },
  }
}
