/*
 * What every package is given alike: the same lifetime, without which some of them send no expiry and have less
 * to do, and a secret of 32 characters, which those that encrypt ask for.
 */

import { randomBytes } from 'node:crypto'

export const lifetime = 24 * 60 * 60 * 1000
export const secret = randomBytes(24).toString('base64url')
