/**
 * fast-check, as all tests import it. With `CI=true` its seed is always the same, so that chance has no say in what lands;
 * elsewhere it is another one each time. `SEED` sets it: the report of a failure names the seed that repeats it. With
 * `PROPERTY_MS`, as `npm run test:quick` has it, each property is tried for so many milliseconds at most.
 */
import fc from 'fast-check'

const SEED_OF_CI = 2026

const { CI, SEED = CI === 'true' ? String(SEED_OF_CI) : undefined, PROPERTY_MS } = process.env
if (SEED !== undefined && !/^-?\d+$/.test(SEED)) throw new Error(`SEED has to be a whole number, not ${SEED}`)
fc.configureGlobal({
  ...(SEED !== undefined && { seed: Number(SEED) }),
  ...(PROPERTY_MS && { interruptAfterTimeLimit: Number(PROPERTY_MS) }),
})

export { default } from 'fast-check'
