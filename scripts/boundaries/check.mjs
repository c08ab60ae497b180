/* Compares a tree of source files with rules: what is found is a value, printed elsewhere. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix, sep } from 'node:path'
import { circlesOf } from './circles.mjs'
import { importsOf } from './imports.mjs'

/** What all parts may import. */
const FOR_ALL = 'warnings'

/**
 * `faults`, a text each; `circles`, a list of files each; and by part, with the files right in the folder as `root`, the
 * number of `files`, of code `lines`, the `budget` and what it `imports`. `core`: the code lines of those with a budget.
 */
export function check(source, rules) {
  const files = readdirSync(source, { recursive: true })
    .map(file => String(file).split(sep).join('/'))
    .filter(file => file.endsWith('.ts'))
    .sort()
    .map(file => read(source, file, rules))
  const names = new Set(files.map(({ file }) => file))
  const inside = ({ imports }) => imports.map(({ target }) => target).filter(target => names.has(target))
  const circles = circlesOf(new Map(files.map(file => [file.file, inside(file)])))
  const parts = partsOf(files, rules)
  const core = parts.filter(({ budget }) => budget !== undefined).reduce((sum, { lines }) => sum + lines, 0)
  const faults = [
    ...files.flatMap(file => arrowFaults(file, names, rules)),
    ...stillFaults(files, rules),
    ...files.flatMap(file => wordFaults(file, rules)),
    ...files.filter(({ length }) => length > rules.fileLines).map(({ file, length }) => tooLong(file, length, rules)),
    ...circleFaults(circles, rules),
    ...parts.filter(({ lines, budget }) => lines > budget).map(overBudget),
    ...(core > rules.coreBudget ? [`the core has ${core} code lines, more than ${rules.coreBudget}`] : []),
  ]
  return { faults, circles, parts, core }
}

function read(source, file, { arrows }) {
  const text = readFileSync(join(source, file), 'utf8')
  const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
  return {
    file,
    part: partOf(file, arrows),
    code,
    length: text.split('\n').length - 1,
    lines: code.split('\n').filter(line => line.trim() !== '').length,
    imports: importsOf(file, text).map(({ name, isType }) => {
      const isInside = name.startsWith('.')
      return { isType, isInside, target: isInside ? posix.join(dirname(file), name) : name }
    }),
  }
}

/** The part of a file: itself where there are rules for it, or its folder; right in src/, its name. */
function partOf(file, arrows) {
  const name = file.replace(/\.ts$/, '')
  return Object.hasOwn(arrows, name) || !file.includes('/') ? name : file.slice(0, file.indexOf('/'))
}

function arrowFaults({ file, part, imports }, names, rules) {
  const { arrows, modules, still } = rules
  const allowed = arrows[part]
  if (!allowed) return [`${file} is in no part that has rules`]
  return imports.flatMap(({ target, isInside, isType }) => {
    if (!isInside) return modules[part]?.test(target) ? [] : [`${file} imports ${target}`]
    if (!names.has(target)) return [`${file} imports ${target}, which is not there`]
    const to = partOf(target, arrows)
    const isFree = to === part || to === FOR_ALL || allowed.includes(to) || still.includes(`${file} > ${target}`)
    if (isFree || (isType && allowed.includes(`${to} (types)`))) return []
    return [`${file} imports ${target}${allowed.includes(`${to} (types)`) ? ', more than its types' : ''}`]
  })
}

/** A known exception that is gone may not come back. */
function stillFaults(files, { still }) {
  const all = new Set(files.flatMap(({ file, imports }) => imports.map(({ target }) => `${file} > ${target}`)))
  return still.filter(arrow => !all.has(arrow)).map(arrow => `${arrow} is gone: take it out of the rules`)
}

function wordFaults({ file, code }, { words }) {
  return words
    .filter(({ files }) => files.test(file))
    .flatMap(({ words }) => words.exec(code)?.slice(0, 1) ?? [])
    .map(word => `${file} contains ${word}`)
}

function circleFaults(found, { circles }) {
  const files = found.flat().length
  const largest = found[0]?.length ?? 0
  if (files <= circles.files && largest <= circles.largest) return []
  return found.map(circle => `these import each other in a circle: ${circle.join(', ')}`)
}

function tooLong(file, length, { fileLines }) {
  return `${file} has ${length} lines, more than ${fileLines}`
}

function overBudget({ part, lines, budget }) {
  return `${part} has ${lines} code lines, more than its budget of ${budget}`
}

function partsOf(files, { arrows, budgets }) {
  const folderOf = ({ file }) => (file.includes('/') ? file.slice(0, file.indexOf('/')) : 'root')
  const folders = [...new Set([...Object.keys(budgets), ...files.map(folderOf)])]
  return folders.map(part => {
    const own = files.filter(file => folderOf(file) === part)
    const targets = own.flatMap(({ imports }) => imports.filter(({ isInside }) => isInside))
    const imports = new Set(targets.map(({ target }) => partOf(target, arrows)).filter(to => to !== part))
    const lines = own.reduce((sum, file) => sum + file.lines, 0)
    return { part, files: own.length, lines, budget: budgets[part], imports: [...imports].sort() }
  })
}
