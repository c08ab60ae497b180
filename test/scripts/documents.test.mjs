/* The checks of the documents find what is planted. What they find in the real ones, `npm run check:documents` says. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { links } from '../../scripts/documents/links.mjs'
import { prose } from '../../scripts/documents/prose.mjs'

const words = count => Array(count).fill('word').join(' ')
/** A page that is there, with other text. */
const PAGE = 'docs/index.md'
const SENTENCE = 'The store keeps each session until the time that it was given is over.'

const PLANTED = [
  ['a sentence of 31 words', prose, `${words(31)}.`, /has 31 words/],
  ['one in a cell', prose, `| a | ${words(31)}. |`, /has 31 words/],
  ['a sentence that a merge has left twice', prose, `${SENTENCE}\n\n- ${SENTENCE}`, /stands there twice/],
  ['a private word in another form, over a line break', prose, 'The store gave\nup.', /"gave up"/],
  ['one in a heading', prose, '## Who gives up', /"gives up"/],
  ['a link to a file that is not there', links, '[text](none.md)', /none\.md leads nowhere/],
  ['one with a title', links, '[text](none.md "title")', /none\.md leads nowhere/],
  ['one in HTML', links, '<a href="none.md">text</a>', /none\.md leads nowhere/],
  ['a heading that is not there', links, '# One\n\n[text](#other)', /#other is no heading/],
  ['a name without an address', links, '[text][name]', /\[name\] has no address/],
]

for (const [what, check, text, expected] of PLANTED) {
  test(`the documents' checks find ${what}`, () => {
    const { faults } = check([{ path: PAGE, text }])
    assert.equal(faults.length, 1, faults.join('\n'))
    assert.match(faults[0], expected)
  })
}

test('the checks find nothing in what is right', () => {
  const text = `# One\n\n${words(30)}. \`gives up\` takes up to 8 MB.\n\n[text](faq.md) [text](#one)`
  for (const check of [prose, links]) assert.deepEqual(check([{ path: PAGE, text }]).faults, [])
})
