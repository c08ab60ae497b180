/** The codes of `errors`, in their order. */
export function codesOf(errors: readonly unknown[]): unknown[] {
  return errors.map(error => Object(error).code)
}
