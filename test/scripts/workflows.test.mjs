/* What the workflows run is there. Their syntax is checked by `npm run check:workflows`. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = name => readFileSync(join(root, name), 'utf8')
const { scripts } = JSON.parse(read('package.json'))
const WORKFLOWS = readdirSync(join(root, '.github/workflows')).map(name => `.github/workflows/${name}`)
const RUNS = [...WORKFLOWS, ...readdirSync(join(root, '.ci')).map(name => `.ci/${name}`)]

for (const file of RUNS) {
  test(`each command in ${file} is there`, () => {
    const text = read(file)
    const named = [...text.matchAll(/npm run (?:-s )?([\w:-]+)(?! --if-present|[\w:-])/g)].map(([, name]) => name)
    const paths = [...text.matchAll(/(?:bash|node) (\.?[\w./-]+\/[\w./-]+)/g)].map(([, path]) => path)
    assert.deepEqual(
      named.filter(name => scripts[name] === undefined),
      [],
    )
    assert.deepEqual(
      paths.filter(path => !existsSync(join(root, path))),
      [],
    )
  })
}

test('a workflow has no more rights than it needs', () => {
  for (const file of WORKFLOWS) assert.match(read(file), /^permissions:\n {2}contents: read\n/m, file)
})

test('an action is named by its commit: whoever moves a tag runs nothing here', () => {
  for (const file of WORKFLOWS) {
    const uses = [...read(file).matchAll(/uses: (.*)/g)].map(([, action]) => action)
    assert.ok(uses.length > 0, file)
    for (const action of uses) assert.match(action, /^[\w./-]+@[\da-f]{40} # v\d+\.\d+\.\d+$/, file)
  }
})

test('what is published comes with provenance', () => {
  assert.equal(JSON.parse(read('package.json')).publishConfig.provenance, true)
  assert.match(read('.github/workflows/publish.yml'), /id-token: write/)
})
