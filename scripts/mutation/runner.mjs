/*
 * A test runner for Stryker: the tables of a folder in one process, and of those only the tests that reach a mutant. A
 * process with all of them for each mutant, which is what its command runner does, takes ten times as long. The bundle
 * is loaded anew for each mutant, so that what a module remembers is as in a process of its own.
 */
import { mock } from 'node:test'
import { pathToFileURL } from 'node:url'

/** How long (ms) a test may take that never settles. */
const LIMIT = 20_000
const { setTimeout, clearTimeout, setImmediate } = globalThis

class Tables {
  #runs = 0

  capabilities() {
    return { reloadEnvironment: true }
  }

  async dryRun() {
    const stryker = inStryker()
    const tests = await this.#load()
    const results = []
    for (const test of tests) {
      stryker.currentTestId = test.id
      const begun = performance.now()
      const failure = await failureOf(test)
      const came = failure === undefined ? { status: 0 } : { status: 1, failureMessage: failure }
      results.push({ id: test.id, name: test.name, timeSpentMs: performance.now() - begun, ...came })
    }
    stryker.currentTestId = undefined
    return { status: 'complete', tests: results, mutantCoverage: stryker.mutantCoverage }
  }

  async mutantRun({ activeMutant, testFilter, mutantActivation, hitLimit }) {
    const stryker = inStryker()
    const { id } = activeMutant
    stryker.hitCount = hitLimit === undefined ? undefined : 0
    stryker.hitLimit = hitLimit
    stryker.activeMutant = mutantActivation === 'static' ? id : undefined
    let nrOfTests = 0
    try {
      const tests = await this.#load()
      stryker.activeMutant = id
      for (const test of tests.filter(({ id }) => testFilter?.includes(id) ?? true)) {
        nrOfTests++
        const failureMessage = await failureOf(test)
        if (stryker.hitCount > hitLimit) return { status: 'timeout', reason: 'a loop without an end' }
        if (failureMessage !== undefined) return { status: 'killed', killedBy: [test.id], failureMessage, nrOfTests }
      }
    } catch (error) {
      return { status: 'killed', killedBy: [], failureMessage: `while it was loaded: ${error}`, nrOfTests }
    }
    return { status: 'survived', nrOfTests }
  }

  /** The tests, as a new copy of all modules has them. */
  async #load() {
    const tests = []
    // What the bundle has in place of node:test.
    globalThis.test = (name, work) => tests.push({ id: `${tests.length}: ${name}`, name, work })
    const file = `test/${process.env.MUTATION_FOLDER}/mutation.mjs`
    await import(`${pathToFileURL(file)}?run=${++this.#runs}`)
    return tests
  }
}

function inStryker() {
  globalThis.__stryker__ ??= {}
  return globalThis.__stryker__
}

/** What a test fails with, as text; `undefined`: it passes. */
async function failureOf({ work }) {
  const ends = []
  const context = {
    mock,
    diagnostic() {},
    after: end => ends.push(end),
    test: (_, work) => work(context),
  }
  let [fail, timer] = [() => {}, undefined]
  const failing = new Promise((_, reject) => {
    fail = reject
    timer = setTimeout(() => reject(new Error('it never settles')), LIMIT)
  })
  failing.catch(() => {})
  for (const event of EVENTS) process.on(event, fail)
  try {
    await Promise.race([work(context), failing])
    // A rejection that nobody handles is known after this turn.
    await Promise.race([new Promise(resolve => setImmediate(resolve)), failing])
    return undefined
  } catch (error) {
    return String(error?.message ?? error)
  } finally {
    clearTimeout(timer)
    for (const event of EVENTS) process.off(event, fail)
    mock.restoreAll()
    mock.timers.reset()
    for (const end of ends) await end()
  }
}

const EVENTS = ['unhandledRejection', 'uncaughtException']

export const strykerPlugins = [{ kind: 'TestRunner', name: 'tables', factory: () => new Tables() }]
