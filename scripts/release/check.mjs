/*
 * Refuses to publish what is not ready: `prepublishOnly`. Which tag of npm it is, npm says in the environment; that of git
 * is there in the workflow.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { faultsOf } from './faults.mjs'

const read = name => readFileSync(join(import.meta.dirname, '..', '..', name), 'utf8')
const manifest = JSON.parse(read('package.json'))
const { npm_config_tag: asked, GITHUB_REF_TYPE: kind, GITHUB_REF_NAME: name } = process.env

const faults = faultsOf({
  manifest,
  changelog: read('CHANGELOG.md'),
  // npm gives `latest` where nobody asked for another one; then publishConfig decides.
  tag: (asked === 'latest' ? undefined : asked) || manifest.publishConfig.tag,
  ref: kind === 'tag' ? name : undefined,
})
for (const fault of faults) console.error(`✗ ${fault}`)
if (faults.length > 0) console.error('Nothing was published. docs/releases.md says what to do before a release.')
process.exitCode = faults.length > 0 ? 1 : 0
