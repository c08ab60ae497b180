/*
 * What a store says to its database: how each kind of statement is run there (EXPLAIN: of a server when it is first seen,
 * of SQLite in the end), and how long each batch of a sweep takes, which is stopped when it takes too long in all.
 */

export function createWatch(explain, { limit = 420_000 } = {}) {
  const plans = new Map()
  const batches = []
  let sweepBegan

  const isSweep = text => text.startsWith('DELETE') && text.includes('LIMIT')

  function begin(text) {
    if (!isSweep(text)) return undefined
    sweepBegan ??= performance.now()
    if (performance.now() - sweepBegan > limit) throw new Error(`the sweep takes more than ${limit / 1000} s`)
    return performance.now()
  }

  function finish(began) {
    if (began !== undefined) batches.push((performance.now() - began) * 1000)
  }

  return {
    batches,
    plans: () => Object.fromEntries([...plans].map(([text, plan]) => [text, typeof plan === 'string' ? plan : plan()])),

    sync(text, values, run) {
      if (!plans.has(text)) plans.set(text, () => explain(text, values))
      const began = begin(text)
      const result = run()
      finish(began)
      return result
    },

    async async(text, values, run) {
      if (!plans.has(text)) {
        plans.set(text, '')
        plans.set(text, await explain(text, values))
      }
      const began = begin(text)
      const result = await run()
      finish(began)
      return result
    },
  }
}
