/*
 * A reporter of node:test: hands each event of one process to the one that runs it, a line of JSON on descriptor 3. It
 * exists because node's own reporters tell a person too much, and because a process that hangs is seen by its silence.
 */
import { writeSync } from 'node:fs'
import { inspect } from 'node:util'

const CHANNEL = 3

// biome-ignore lint/correctness/useYield: a reporter is a generator, but what is yielded is lost when the process exits
export default async function* events(source) {
  const titles = []
  for await (const { type, data } of source) {
    if (type === 'test:start') titles[data.nesting] = data.name
    const title = [...titles.slice(0, data.nesting), data.name].join(' › ')
    if (type === 'test:dequeue') write({ type: 'begun', name: data.name })
    if (type === 'test:pass' || type === 'test:fail') {
      write({ type: 'done', name: data.name, title, ...outcomeOf(type, data) })
    }
    if (type === 'test:diagnostic' && data.message.startsWith('duration_ms ')) write({ type: 'ended' })
  }
}

function outcomeOf(type, { skip, todo, details }) {
  const isSuite = details.type === 'suite'
  if (isSuite && type === 'test:pass') return { outcome: 'suite' }
  if (skip !== undefined) return { outcome: 'skipped' }
  if (todo !== undefined) return { outcome: 'todo' }
  if (type === 'test:pass') return { outcome: 'pass' }
  const { failureType, cause } = details.error ?? {}
  // What is around a failure: the failure is told by itself.
  if (failureType === 'subtestsFailed') return { outcome: isSuite ? 'suite' : 'fail' }
  const isCancelled = failureType === 'cancelledByParent' || failureType === 'testAborted'
  if (isSuite && isCancelled) return { outcome: 'suite' }
  // A suite fails by itself where what is to run before or after it does.
  const outcome = isCancelled ? 'cancelled' : 'fail'
  return { outcome, error: typeof cause === 'object' ? inspect(cause) : String(cause ?? details.error) }
}

function write(event) {
  const line = Buffer.from(`${JSON.stringify(event)}\n`)
  for (let written = 0; written < line.length; ) {
    try {
      written += writeSync(CHANNEL, line, written)
    } catch (error) {
      // The pipe is full.
      if (error.code !== 'EAGAIN') throw error
    }
  }
}
