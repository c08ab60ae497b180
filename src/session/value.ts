/**
 * Whether `value` can be the data of a session: an object, plain or of a class of the application. A list, a Map, a Date, a
 * promise, URLSearchParams and whatever else has a tag of its own is not: what it holds would be lost.
 */
export function isSessionValue(value: unknown): value is object {
  // The tag is the same in every realm. It names most kinds of objects, and a class can have one by Symbol.toStringTag.
  return typeof value === 'object' && Object.prototype.toString.call(value) === '[object Object]'
}
