/** The contract of a store as tests of node:test, each of which counts for a row of the table. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, type TestContext as Test } from 'node:test'
import {
  type Capability,
  type Store,
  type StoreContractOptions,
  type StoreTest,
  storeContract,
} from 'koa-session/testing'
import { newSecret } from '../../support/secrets.ts'

/** What registers a test: that of a row. */
export type Register = (title: string, run: (t: Test) => unknown) => void

/** All that a store can claim but `order`, which not every database keeps. */
export const UNORDERED: readonly Capability[] = ['keys', 'versions', 'retire', 'subjects', 'all']
export const ALL: readonly Capability[] = [...UNORDERED, 'order']

/** Sealing secrets. */
export const SECRETS = [newSecret(), newSecret()]

/** By the clock of a server: far longer (ms) than an answer takes on a machine that is busy. */
const TTL = 1500
/** The same, where a store rounds what is left up to seconds: the kit waits for a quarter more. */
export const TTL_OF_SECONDS = 4500
/** Where a test may wait for something to expire. */
const WAITING = ['expiry', 'create', 'versions', 'retire', 'subjects', 'all']
/** So many tests wait at the same time, whatever the processors are. */
const AT_A_TIME = 20

export interface Limited {
  /** What a server can not do, or a store that is not ours, by the test and the error that it has then. */
  readonly limits?: Readonly<Record<string, RegExp>> | undefined
}

/** The contract of a store that has a manual clock. */
export function proveContract<Tested extends Store>(
  register: Register,
  { limits = {}, ...options }: StoreContractOptions<Tested> & Limited & { readonly clock: object },
): void {
  for (const proof of storeContract(options)) prove(register, proof, limits)
}

function prove(register: Register, { name, run }: StoreTest, limits: Readonly<Record<string, RegExp>>): void {
  const limit = limits[name]
  if (limit) register(`not ${name}`, () => assert.rejects(run(), limit))
  else register(name, run)
}

export interface InTime extends Limited {
  /** `false`: without what may wait, for one client of several that are alike. */
  readonly inTime?: boolean
}

/** The contract of a store whose server expires by its own clock: what waits does so at the same time. */
export function proveContractInTime<Tested extends Store>(
  register: Register,
  { inTime = true, limits = {}, ...options }: StoreContractOptions<Tested> & InTime,
): void {
  const tests = storeContract({ ttl: TTL, ...options })
  if (inTime) {
    describe('in time', { concurrency: AT_A_TIME }, () => {
      for (const { name, group, run } of tests) if (WAITING.includes(group)) register(name, run)
    })
  }
  for (const proof of tests) if (!WAITING.includes(proof.group)) prove(register, proof, limits)
}

/** The SHA-256 in base64url: what a session is kept under, its handle, a subject in a record. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
