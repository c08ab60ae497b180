import type { TestContext as Test } from 'node:test'

export interface Warning extends Error {
  readonly code?: string
}

/** The process warnings with `code` that are raised until the test ends. */
export function warningsOf(t: Test, code: string): Warning[] {
  const warnings: Warning[] = []
  const note = (warning: Warning) => {
    if (warning.code === code) warnings.push(warning)
  }
  process.on('warning', note)
  t.after(() => process.off('warning', note))
  return warnings
}

/** Lets the warnings be heard that were raised before. */
export const heard = () => new Promise(resolve => setImmediate(resolve))

/** What promises that nobody waited for are rejected with until the test ends. */
export function rejectionsOf(t: Test): unknown[] {
  const reasons: unknown[] = []
  const note = (reason: unknown) => reasons.push(reason)
  process.on('unhandledRejection', note)
  t.after(() => process.off('unhandledRejection', note))
  return reasons
}
