/*
 * Sentences of at most thirty words, in words that everybody knows, each said once in its document. A merge that keeps the lines
 * of both sides says things twice.
 */
import { pages, withoutCode } from './pages.mjs'

const MOST_WORDS = 30
/** A shorter sentence may stand in several places: "See the page of each store." */
const FEWEST_TWICE = 9
/** Private language, and what to write in its place. */
const FORBIDDEN = {
  '(take|takes|took|taken|taking) up(?! to)': 'accepted',
  '(give|gives|gave|given|giving) up': 'stops, refuses, replaced',
  '(give|gives|gave|given|giving) way': 'yields',
  '(tell|tells|told) of': 'reports',
  'asks of': 'requires of',
  'is owed': 'is due',
  'brings back': 'restores',
  '(brings|brought)': 'sends, has',
  '(a|is|was|been) presented': 'received, sent',
  bears: 'has',
  'is a stranger': 'gets a new session',
  'what is not ours': 'other cookies',
  "is nobody's": 'belongs to nobody',
  'if you prefer': '(say when)',
}

export function prose(given = pages()) {
  const documents = given.filter(({ path }) => !/^(bench|docs\/api|\.github)\//.test(path))
  const said = new Set()
  const sentences = documents.flatMap(sentencesOf)
  const faults = sentences.flatMap(({ path, line, sentence, isCell }) => {
    const words = countOf(sentence)
    const shown = `${path}:${line}: ${sentence.slice(0, 90)} …`
    const isTwice = !isCell && words >= FEWEST_TWICE && said.has(path + sentence)
    said.add(path + sentence)
    return [
      ...(words > MOST_WORDS ? [`${shown} has ${words} words`] : []),
      ...(isTwice ? [`${shown} stands there twice`] : []),
      ...Object.entries(FORBIDDEN).flatMap(([words, instead]) => {
        const found = new RegExp(`\\b${words}\\b`, 'i').exec(sentence)
        return found ? [`${shown} "${found[0]}": ${instead}`] : []
      }),
    ]
  })
  return { checked: sentences.length, faults }
}

/** Those of paragraphs, entries of lists, headings, and cells of tables. */
function sentencesOf({ path, text }) {
  const parts = []
  let isOpen = false
  withoutCode(text)
    .split('\n')
    .forEach((given, at) => {
      const line = at + 1
      const isText = given.trim() !== '' && !/^\s*(\||#|:::|<|\[!|\[[\w-]+\]: )/.test(given)
      const begins = /^\s*([-*]|\d+\.|>) /.test(given)
      const isTable = /^\s*\|/.test(given)
      const cells = isTable ? given.split(/(?<!\\)\|/) : /^#/.test(given) ? [given] : []
      parts.push(...cells.map(cell => ({ line, text: cell, isCell: true })))
      if (isText && isOpen && !begins) parts.at(-1).text += ` ${given}`
      else if (isText) parts.push({ line, text: given, isCell: false })
      isOpen = isText
    })
  return parts.flatMap(({ text: part, ...where }) => splitted(part).map(sentence => ({ path, ...where, sentence })))
}

/** Code is one word, which is the same for the same code. */
function splitted(part) {
  const plain = part
    .replace(/^\s*([-*]|\d+\.|>) /, '')
    .replace(/\s+/g, ' ')
    .replace(/`([^`]*)`/g, (_, code) => `code_${code.replace(/\W/g, '_')}`)
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
  return plain.split(/(?<=[.!?:;]\)?\*{0,2})\s+/)
}

const countOf = sentence => (sentence.match(/[\p{L}\p{N}][\p{L}\p{N}'’./_-]*/gu) ?? []).length
