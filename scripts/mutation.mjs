/*
 * Mutation tests (Stryker) of the folders of the core, each against its own tables and nothing else: what only a story
 * over HTTP finds counts as survived. Fails where a folder is below its score. It exists because Stryker has one set of
 * tests and one score for all files.
 *
 * `npm run test:mutation`; `-- node request` for some folders, `-- src/request/scope.ts` for some files.
 */
import { Stryker } from '@stryker-mutator/core'

/** The least score of each folder, in percent. */
const LEAST = { node: 90, request: 90, session: 90, codec: 90 }

const words = process.argv.slice(2)
const folderOf = word => Object.keys(LEAST).find(folder => word === folder || word.startsWith(`src/${folder}/`))
const unknown = words.filter(word => !folderOf(word))
if (unknown.length > 0) {
  console.error(`no folder that is mutated has ${unknown.join(', nor ')}`)
  process.exit(2)
}

const rows = [
  ['folder', 'score', 'mutants', 'killed', 'timed out', 'survived', 'minutes'],
  Array.from({ length: 7 }, () => '---'),
]
const folders = words.length > 0 ? [...new Set(words.map(folderOf))] : Object.keys(LEAST)
for (const folder of folders) {
  const files = words.filter(word => word.startsWith(`src/${folder}/`))
  const begun = performance.now()
  // Random inputs have a fixed seed: see test/support/properties.ts.
  Object.assign(process.env, { MUTATION_FOLDER: folder, CI: 'true' })
  const mutants = await new Stryker({
    mutate: files.length > 0 ? files : [`src/${folder}/**/*.ts`],
    jsonReporter: { fileName: `reports/mutation-${folder}.json` },
  }).runMutationTest()
  const count = (...statuses) => mutants.filter(({ status }) => statuses.includes(status)).length
  const [killed, late, survived] = [count('Killed'), count('Timeout'), count('Survived', 'NoCoverage')]
  const score = (100 * (killed + late)) / (killed + late + survived)
  const minutes = ((performance.now() - begun) / 60_000).toFixed(1)
  rows.push([folder, `${score.toFixed(1)} %`, killed + late + survived, killed, late, survived, minutes])
  if (files.length > 0 || score >= LEAST[folder]) continue
  console.error(`src/${folder} has a score of ${score.toFixed(1)} %, and needs ${LEAST[folder]} %`)
  process.exitCode = 1
}
console.log(rows.map(row => `| ${row.join(' | ')} |`).join('\n'))
