/**
 * fast-check, as all tests import it. With `CI=true` its seed is always the same, so that chance has no say in what lands;
 * elsewhere it is another one each time. `SEED` sets it: the report of a failure names the seed that repeats it.
 */
import fc from 'fast-check'

const SEED_OF_CI = 2026

const { CI, SEED = CI === 'true' ? String(SEED_OF_CI) : undefined } = process.env
if (SEED !== undefined) {
  if (!/^-?\d+$/.test(SEED)) throw new Error(`SEED has to be a whole number, not ${SEED}`)
  fc.configureGlobal({ seed: Number(SEED) })
}

export { default } from 'fast-check'
