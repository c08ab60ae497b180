/* Whether a run of the tests is good, from what it printed and how it ended. */

/** A line that counts the tests of one outcome. */
export const COUNT = /^(?:#|ℹ) (pass|fail|cancelled|skipped|todo) (\d+)$/gm

/**
 * The counts of `output`, whose lines are such as `# pass 12`, or `ℹ pass 12` on a terminal; the last of each. What is not
 * there is `undefined`.
 */
export function countsOf(output) {
  const counts = {}
  for (const [, word, count] of output.matchAll(COUNT)) {
    counts[word] = Number(count)
  }
  return counts
}

/**
 * Why a run is not good, or `undefined`. `status`: its exit status, `null` where a signal ended it. `minimum`: how many
 * tests are known to pass: fewer mean that some did not run.
 */
export function faultOf({ status, output }, minimum) {
  const counts = countsOf(output)
  if (status !== 0) return status === null ? 'was stopped' : `ended with status ${status}`
  for (const word of ['pass', 'fail', 'cancelled', 'skipped', 'todo']) {
    if (counts[word] === undefined) return `did not say how many tests it counts as "${word}"`
    if (word !== 'pass' && counts[word] > 0) return `has ${counts[word]} tests that are "${word}"`
  }
  if (counts.pass < minimum) return `passed ${counts.pass} tests, fewer than the ${minimum} that are known`
  return undefined
}
