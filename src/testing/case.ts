import type { Bench } from './bench.ts'

/**
 * What a store can claim beyond `get`, `set` and `destroy`. All but the first go with `keys`.
 *
 * | capability | the store has |
 * |---|---|
 * | `keys` | `plain`, `read`, `create`, `patch`, `touch`: it is written to key by key |
 * | `versions` | a version in each record, which `patch` and `retire` can ask for |
 * | `retire` | `retire`: an id that was given up stays so |
 * | `subjects` | `list` and `destroyAll`: the sessions of one user |
 * | `all` | `all`, `count` and `clear`: every session. Its tests end all sessions that the store has |
 * | `order` | members in the order in which they were set first |
 */
export type Capability = 'keys' | 'versions' | 'retire' | 'subjects' | 'all' | 'order'

/** What a test needs: capabilities, a manual clock, a way to corrupt a record. */
export type Need = Capability | 'clock' | 'corrupt'

export interface Case {
  readonly group: string
  readonly claim: string
  readonly needs: readonly Need[]
  readonly prove: (bench: Bench) => Promise<void>
}

/** Tests of one group with the same needs, by what they claim. */
export function cases(group: string, needs: readonly Need[], proofs: Record<string, Case['prove']>): readonly Case[] {
  return Object.entries(proofs).map(([claim, prove]) => ({ group, claim, needs, prove }))
}
