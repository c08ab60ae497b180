/*
 * Packs and publishes, without sending anything, from what a clone has: the files of the repository, without dist/. It
 * exists because a package that was packed where somebody had built before says nothing of one that is packed where nobody
 * has. Publishing has to be refused while package.json is not filled in, and to go well once it is.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { relativeLinksOf } from './release/links.mjs'

const root = join(import.meta.dirname, '..')
const temporary = mkdtempSync(join(tmpdir(), 'clone-check-'))
const clone = join(temporary, 'clone')

try {
  copy()
  refused()
  fillIn()
  const readme = readFileSync(join(clone, 'README.md'), 'utf8')
  const [{ filename, files }] = jsonIn(npm('pack', '--json', '--pack-destination', temporary))
  assert.equal(readFileSync(join(clone, 'README.md'), 'utf8'), readme, 'packing changed the README of the clone')
  const tarball = join(temporary, filename)
  const inside = execFileSync('tar', ['-xzOf', tarball, 'package/README.md'], { encoding: 'utf8' })
  assert.deepEqual(relativeLinksOf(inside), [], 'the README of the package has links to files that are not in it')
  console.log(`ok - npm pack: ${files.length} files`)
  execFileSync(process.execPath, ['scripts/pack-check.mjs', tarball], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'ignore'],
  })
  published(files)
} finally {
  rmSync(temporary, { recursive: true })
}

/** The files of the repository as they are now, and what `npm ci` would install. */
function copy() {
  const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' }).split('\0').filter(Boolean)
  for (const file of tracked.filter(name => existsSync(join(root, name)))) {
    cpSync(join(root, file), join(clone, file), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'))
  assert.ok(!existsSync(join(clone, 'dist')))
  assert.equal(dirname(clone), temporary)
}

function npm(...parameters) {
  return execFileSync('npm', parameters, { cwd: clone, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

/** What npm printed after what `prepack` did. */
function jsonIn(stdout) {
  const lines = stdout.split('\n')
  return JSON.parse(lines.slice(lines.findIndex(line => line === '[' || line === '{')).join('\n'))
}

function dryRun() {
  // Without the tag of the workflow in which this may run: it names another version.
  const env = { ...process.env, GITHUB_REF_TYPE: '' }
  return spawnSync('npm', ['publish', '--dry-run', '--json'], { cwd: clone, encoding: 'utf8', env })
}

function refused() {
  write('package.json', text => text.replace(/"author": ".*"/, '"author": "AUTHOR"'))
  const { status, stderr } = dryRun()
  assert.notEqual(status, 0, 'it would be published without an author')
  assert.match(stderr, /"author" in package\.json is still "AUTHOR": fill it in/)
  assert.ok(!existsSync(join(clone, 'dist')), 'it was built before it was refused')
  console.log('ok - npm publish refuses what is not filled in')
}

function fillIn() {
  write('package.json', text => text.replaceAll('OWNER', 'someone').replace('"AUTHOR"', '"Some One"'))
  const { version } = JSON.parse(readFileSync(join(clone, 'package.json'), 'utf8'))
  write('CHANGELOG.md', text => `${text}\n## ${version}\n`)
}

function published(files) {
  const { status, stdout, stderr } = dryRun()
  assert.equal(status, 0, stderr)
  const said = jsonIn(stdout)
  const { files: sent } = said.files ? said : Object.values(said)[0]
  assert.deepEqual(sent.map(({ path }) => path).sort(), files.map(({ path }) => path).sort())
  console.log(`ok - npm publish --dry-run: the same ${sent.length} files`)
}

function write(name, change) {
  const path = join(clone, name)
  writeFileSync(path, change(readFileSync(path, 'utf8')))
}
