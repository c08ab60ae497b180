/*
 * The sessions that are read and written, 4 KB as JSON: of five keys, which Redis keeps as a hash of seven fields, and of
 * 42. Apart from the servers, because those who ask them have to know what they are to find.
 */

export const user = '5f1d7c2e9a41'
export const last = 'the last key'

const text = length => 'what somebody has put into the basket of a shop, '.repeat(100).slice(0, length)

function ofTexts(count, length) {
  const texts = Array.from({ length: count }, (_, index) => [`key${String(index).padStart(2, '0')}`, text(length)])
  return { user, n: 1, ...Object.fromEntries(texts), last }
}

/** By the path that makes one. */
export const sessions = { '/plant': ofTexts(2, 1990), '/plant/many': ofTexts(39, 90) }
