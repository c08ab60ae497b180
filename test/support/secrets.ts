import { randomBytes } from 'node:crypto'

/** A secret for one run of the tests: one that is printed somewhere does not seal. */
export const newSecret = () => randomBytes(32).toString('base64url')
