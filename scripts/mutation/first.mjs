/** A reporter of node:test that ends the process at the first failure: more of them tell nothing more of a mutant. */
export default async function* first(events) {
  for await (const { type, data } of events) {
    if (type !== 'test:fail') continue
    yield `${data.name}\n`
    process.exit(1)
  }
}
