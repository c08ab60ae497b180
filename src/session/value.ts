/**
 * Whether `value` can be assigned as a session: an object of no kind but its own class. What has a kind of its own (an
 * array, a Map, a Date, a promise, Headers) has no data among its properties, and would end the session.
 */
export function isSessionValue(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.prototype.toString.call(value) === '[object Object]'
}

/** What `value` is, for an error: its kind and nothing of what is in it. */
export function kindOf(value: unknown): string {
  return typeof value === 'object' ? Object.prototype.toString.call(value).slice(8, -1) : `a ${typeof value}`
}
