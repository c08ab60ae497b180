/* What is refused before anything is published, and the links of the README in the package. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { faultsOf } from '../../scripts/release/faults.mjs'
import { relativeLinksOf, withAbsoluteLinks } from '../../scripts/release/links.mjs'

const MANIFEST = {
  version: '8.0.0-beta.1',
  author: 'Some One <someone@example.org>',
  repository: { type: 'git', url: 'git+https://github.com/someone/koa-session.git' },
  homepage: 'https://github.com/someone/koa-session#readme',
  bugs: 'https://github.com/someone/koa-session/issues',
}
const READY = { manifest: MANIFEST, changelog: '# Changelog\n\n## 8.0.0-beta.1 (2026-12-01)\n', tag: 'next' }
const with_ = fields => ({ manifest: { ...MANIFEST, ...fields } })
const STABLE = { ...with_({ version: '8.0.0' }), changelog: '## 8.0.0\n' }

const CASES = [
  ['that is ready is published', {}],
  ['that is ready is published by its tag', { ref: 'v8.0.0-beta.1' }],
  ['that is no prerelease is published as latest', { ...STABLE, tag: 'latest' }],
  [
    'whose author is not filled in is refused',
    with_({ author: 'AUTHOR' }),
    /"author" in package\.json is still "AUTHOR"/,
  ],
  ['without an author is refused', with_({ author: undefined }), /has no "author"/],
  ...['repository', 'homepage', 'bugs'].map(field => [
    `whose ${field} is not filled in is refused`,
    with_({ [field]: { url: 'https://github.com/OWNER/koa-session' } }),
    new RegExp(`"${field}" in package\\.json is still`),
  ]),
  ['that is a prerelease is not published as latest', { tag: 'latest' }, /tag "latest": it has to be another one/],
  ['that is no prerelease is not published as next', STABLE, /tag "next": it has to be "latest"/],
  ['that the changelog does not have is refused', { changelog: '## Unreleased\n' }, /no heading "## 8\.0\.0-beta\.1"/],
  ['is not found under a longer one', { changelog: '## 8.0.0-beta.10\n' }, /no heading/],
  ['that is not that of its tag is refused', { ref: 'v8.0.0' }, /the tag v8\.0\.0 is not v8\.0\.0-beta\.1/],
]
for (const [title, changes, expected] of CASES) {
  test(`a version ${title}`, () => {
    const faults = faultsOf({ ...READY, ...changes })
    if (expected === undefined) return assert.deepEqual(faults, [])
    assert.equal(faults.length, 1)
    assert.match(faults[0], expected)
  })
}

const PLACE = { url: 'https://github.com/someone/koa-session', ref: 'v8.0.0' }
const LINKS = [
  [
    'a document',
    '[SECURITY](SECURITY.md#limits)',
    '[SECURITY](https://github.com/someone/koa-session/blob/v8.0.0/SECURITY.md#limits)',
  ],
  ['a path with a dot', '[a](./docs/a.md)', '[a](https://github.com/someone/koa-session/blob/v8.0.0/docs/a.md)'],
  ['a picture', '![a](docs/a.svg)', '![a](https://github.com/someone/koa-session/raw/v8.0.0/docs/a.svg)'],
  ['a heading of the same page', '[a](#a)', '[a](#a)'],
  ['another site', '[a](https://example.org/a)', '[a](https://example.org/a)'],
]
for (const [title, written, expected] of LINKS) {
  test(`a link to ${title} is good outside of the repository`, () => {
    assert.equal(withAbsoluteLinks(written, PLACE), expected)
    assert.deepEqual(relativeLinksOf(expected), [])
  })
}
