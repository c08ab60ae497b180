/*
 * What every package is given alike: the same lifetime, without which some of them send no expiry and have less
 * to do, and the same secret, which is long enough for those that encrypt.
 */

export const lifetime = 24 * 60 * 60 * 1000
export const secret = 'a secret of exactly 32 bytes, so'
