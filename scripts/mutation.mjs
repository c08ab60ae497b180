/*
 * Mutation tests (Stryker) of the folders of the core, each against its own tables, and nothing else: what only a story
 * over HTTP finds counts as not found. Fails where a folder is below its score. It exists because Stryker has one
 * command and one score for all files, and takes an hour with them.
 *
 * `npm run test:mutation`, `-- --only node,request` for some folders, `-- src/request/scope.ts` for some files.
 */
import { parseArgs } from 'node:util'
import { Stryker } from '@stryker-mutator/core'

/** The least score of each folder, in percent. */
const LEAST = { node: 90, request: 90, session: 85, codec: 85 }

const { values, positionals: paths } = parseArgs({
  options: { only: { type: 'string' } },
  allowPositionals: true,
})
const known = Object.keys(LEAST)
const wanted =
  values.only?.split(',') ?? known.filter(folder => !paths[0] || paths.some(path => path.includes(`src/${folder}/`)))

const lines = []
for (const folder of wanted) {
  const begun = performance.now()
  process.env.MUTATION_FOLDER = folder
  const mutants = await new Stryker({
    mutate: paths.length > 0 ? paths : [`src/${folder}/**/*.ts`],
    jsonReporter: { fileName: `reports/mutation-${folder}.json` },
  }).runMutationTest()
  const count = (...statuses) => mutants.filter(({ status }) => statuses.includes(status)).length
  const [killed, late, survived] = [count('Killed'), count('Timeout'), count('Survived', 'NoCoverage')]
  const score = (100 * (killed + late)) / (killed + late + survived)
  const minutes = ((performance.now() - begun) / 60_000).toFixed(1)
  lines.push(
    `| \`src/${folder}\` | ${score.toFixed(1)} % | ${killed + late + survived} | ${killed} | ${late} | ${survived} | ${minutes} min |`,
  )
  if (paths.length === 0 && !(score >= LEAST[folder])) {
    console.error(`src/${folder} has a score of ${score.toFixed(1)} %, and needs ${LEAST[folder]} %`)
    process.exitCode = 1
  }
}
console.log(
  [
    '| folder | score | mutants | killed | timed out | survived | took |',
    '|---|---|---|---|---|---|---|',
    ...lines,
  ].join('\n'),
)
