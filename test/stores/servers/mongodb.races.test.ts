/** The race checker on MongoDB: two processes that share a collection, and visitors who send requests at the same time. */
import assert from 'node:assert/strict'
import { versionOfPackage } from '../../servers/found.ts'
import { row, suiteOn } from '../../servers/report.ts'

const SECONDS = 6
const SEED = 2026

suiteOn('mongodb', 'races on MongoDB', title => {
  const client = `mongodb ${versionOfPackage('mongodb')}`
  row({ store: 'mongodb, races', client, server: title }).test(
    'of two processes nothing is lost or comes back',
    async t => {
      // They look for servers when they are loaded.
      const { race } = await import('../../races/trial.ts')
      const { excerptsOf, lineOf } = await import('../../races/report.ts')
      const trial = await race('mongodb', SECONDS, SEED)
      t.diagnostic(lineOf(trial))
      assert.equal(trial.violations.length, 0, excerptsOf(trial))
      assert.ok(
        trial.lives.some(({ entries }) => entries.some(({ status }) => status === 200)),
        'nothing was answered',
      )
    },
  )
})
