/*
 * Sentences of at most thirty words, in words that everybody knows, in the documents for users. Tables and code are left
 * out: a cell is read alone.
 */
import { forUsers, withoutCode } from './pages.mjs'

const MOST_WORDS = 30
/** Private language, and what to write in its place. */
const FORBIDDEN = {
  'taken up': 'accepted',
  'take up': 'accept',
  'gives up': 'stops, refuses',
  'gave up': 'stopped',
  'give way': 'yield',
  'gives way': 'yields',
  'tells of': 'reports',
  'tell of': 'report',
  'asks of': 'requires of',
  'is owed': 'is due',
  'brings back': 'restores',
  'is a stranger': 'gets a new session',
  'what is not ours': 'other cookies',
  "is nobody's": 'belongs to nobody',
  'if you prefer': '(say when)',
}

export function prose() {
  const documents = forUsers().filter(({ path }) => !path.startsWith('docs/api/'))
  const sentences = documents.flatMap(sentencesOf)
  const long = sentences.filter(({ words }) => words > MOST_WORDS)
  const private_ = documents.flatMap(({ path, text }) =>
    Object.entries(FORBIDDEN).flatMap(([words, instead]) =>
      lowerLines(text).flatMap((line, at) =>
        new RegExp(`\\b${words}\\b`).test(line) ? [`${path}:${at + 1}: "${words}": ${instead}`] : [],
      ),
    ),
  )
  const faults = long.map(({ place, words, sentence }) => `${place}: ${words} words: ${sentence.slice(0, 90)} …`)
  return { checked: sentences.length, faults: [...faults, ...private_] }
}

const lowerLines = text => withoutCode(text).toLowerCase().split('\n')

function sentencesOf({ path, text }) {
  const lines = withoutCode(text).split('\n')
  const paragraphs = []
  lines.forEach((line, at) => {
    const isText = line.trim() !== '' && !/^\s*(\||#|:::|<|\[!)/.test(line)
    const begins = /^\s*([-*]|\d+\.|>) /.test(line)
    if (!isText) paragraphs.push(undefined)
    else if (begins || !paragraphs.at(-1)) paragraphs.push({ at: at + 1, text: line })
    else paragraphs.at(-1).text += ` ${line}`
  })
  return paragraphs
    .filter(Boolean)
    .flatMap(({ at, text: paragraph }) =>
      splitted(paragraph).map(sentence => ({ place: `${path}:${at}`, sentence, words: countOf(sentence) })),
    )
}

function splitted(paragraph) {
  const plain = paragraph
    .replace(/^\s*([-*]|\d+\.|>) /, '')
    .replace(/`[^`]*`/g, 'code')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
  return plain.split(/(?<=[.!?:;]\)?\*{0,2})\s+/)
}

const countOf = sentence => (sentence.match(/[\p{L}\p{N}][\p{L}\p{N}'’./_-]*/gu) ?? []).length
