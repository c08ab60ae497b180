/** The secrets that stand in this project's documents, examples, tests and scripts. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import ts from 'typescript'

export interface Printed {
  /** The file and the line. */
  readonly where: string
  readonly secret: string
}

/** Where people copy from. */
const SHOWN = /^(bench|docs|examples|scripts|test)\/|\.md$/
/** Who has a name like these has secrets. */
const NAME = /secret|keys$|^keys|seal$|newest|oldest|older/i
const SHORT_NAME = /\b(NEW|OLD|FOREIGN)\b/
const isName = (text: string) => NAME.test(text) || SHORT_NAME.test(text)
/** What is called with secrets. */
const CALLED = /^(Keygrip|signBy|weaknessOf|createSecretKey|newKeyring|createKeyrings\(\)|of)$/
/** What makes secrets of texts. */
const CONVERTS = /^(String|Buffer\.from|createSecretKey)$|\.(encode|repeat|padEnd|split|concat)$/
const CODE = /\.[cm]?[jt]s$/

/** All of them, read with a parser: texts that are given a name of secrets, or are handed to what takes secrets. */
export function printedSecrets(): readonly Printed[] {
  const root = new URL('../../', import.meta.url)
  const files = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' }).split('\n')
  return files.flatMap(file => {
    if (!SHOWN.test(file) || !(CODE.test(file) || file.endsWith('.md'))) return []
    const text = readFileSync(new URL(file, root), 'utf8')
    return CODE.test(file) ? inCode(file, text) : inDocument(file, text)
  })
}

/** In code between fences, and as variables of a shell. */
export function inDocument(file: string, text: string): Printed[] {
  const blocks = [...text.matchAll(/```(?:ts|js)\n([\s\S]*?)```/g)]
  const variables = [...text.matchAll(/\b\w*(?:KEYS?|SECRETS?)=(?:'([^']*)'|"([^"]*)"|([^\s`]+))/g)]
  return [
    ...blocks.flatMap(({ 1: code = '' }) => inCode(file, code)),
    ...variables.flatMap(([, ...texts]) =>
      texts
        .join('')
        .split(',')
        .map(secret => ({ where: file, secret })),
    ),
  ]
}

export function inCode(file: string, text: string): Printed[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const found: Printed[] = []

  function visit(node: ts.Node): void {
    for (const expression of expressionsOf(node)) collect(expression)
    ts.forEachChild(node, visit)
  }

  function collect(node: ts.Node): void {
    const secret = textOf(node)
    if (secret !== undefined) {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart())
      found.push({ where: `${file}:${line + 1}`, secret })
    } else for (const part of partsOf(node)) collect(part)
  }

  visit(source)
  return found
}

/** The expressions that hold secrets, by the names around them. */
function expressionsOf(node: ts.Node): readonly ts.Node[] {
  if (
    ts.isVariableDeclaration(node) ||
    ts.isPropertyAssignment(node) ||
    ts.isPropertyDeclaration(node) ||
    ts.isParameter(node) ||
    ts.isBindingElement(node)
  )
    return node.initializer && isName(node.name.getText()) ? [node.initializer] : []
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.EqualsToken) {
    const { left, right } = node
    return ts.isPropertyAccessExpression(left) && isName(left.name.text) ? [right] : []
  }
  if (ts.isCallExpression(node) || ts.isNewExpression(node))
    return CALLED.test(node.expression.getText()) ? (node.arguments ?? []) : []
  return []
}

/** What a list, a choice or a conversion is made of. */
function partsOf(node: ts.Node): readonly ts.Node[] {
  if (ts.isArrayLiteralExpression(node)) return node.elements.filter(element => !ts.isArrayLiteralExpression(element))
  if (ts.isConditionalExpression(node)) return [node.whenTrue, node.whenFalse]
  if (ts.isBinaryExpression(node))
    return /^(\?\?|\|\||\+)$/.test(node.operatorToken.getText()) ? [node.left, node.right] : []
  if (ts.isSpreadElement(node) || ts.isAsExpression(node) || ts.isParenthesizedExpression(node))
    return [node.expression]
  if (ts.isNewExpression(node)) return node.arguments ?? []
  if (!ts.isCallExpression(node) || !CONVERTS.test(node.expression.getText())) return []
  const { expression } = node
  return [...node.arguments, ...(ts.isPropertyAccessExpression(expression) ? [expression.expression] : [])]
}

/** The text of a literal; of a template, with a digit for what is filled in, unless that is made by chance. */
function textOf(node: ts.Node): string | undefined {
  if (ts.isStringLiteralLike(node)) return node.text
  if (!ts.isTemplateExpression(node) || /random/i.test(node.getText())) return undefined
  return node.templateSpans.reduce((text, span) => `${text}0${span.literal.text}`, node.head.text)
}
