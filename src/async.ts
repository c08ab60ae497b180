import { SessionError } from './errors.ts'

/** `value`, where nothing can be waited for: a promise is `ERR_SESSION_ASYNC`, naming the option that gave it. */
export function refusePromise<Value>(value: Value, option: string, advice = 'use a function that is not async'): Value {
  if (!isPromise(value)) return value
  // Its rejection would otherwise end the process.
  Promise.resolve(value).catch(() => {})
  throw new SessionError('ERR_SESSION_ASYNC', `${option} returned a promise where none can be awaited; ${advice}`)
}

export function isPromise<Value>(value: Value | PromiseLike<Value>): value is PromiseLike<Value> {
  // Not by way of Object(value), which makes an object of every string.
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function'
  return isObject && typeof (value as { then?: unknown }).then === 'function'
}

/** What `next` makes of `value`: at once, where that is no promise. To await what is there costs more than a small store. */
export function andThen<Value, Result>(
  value: Value | PromiseLike<Value>,
  next: (value: Value) => Result | Promise<Result>,
): Result | Promise<Result> {
  return isPromise(value) ? Promise.resolve(value).then(next) : next(value)
}

/** What `work` gives; where it throws or rejects, what `instead` makes of that. */
export function orElse<Value>(work: () => Value | Promise<Value>, instead: (error: unknown) => Value) {
  try {
    const value = work()
    return isPromise(value) ? value.catch(instead) : value
  } catch (error) {
    return instead(error)
  }
}

/** What `work` gives or throws, as a promise. */
export function promised<Value>(work: () => Value | Promise<Value>): Promise<Value> {
  try {
    return Promise.resolve(work())
  } catch (error) {
    return Promise.reject(error)
  }
}

/** Whether `value` was declared as `async`. */
export function isAsyncFunction(value: unknown): boolean {
  return typeof value === 'function' && Object.prototype.toString.call(value) === '[object AsyncFunction]'
}
