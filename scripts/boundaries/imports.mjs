/* What a file imports, read by TypeScript's parser: a text in a comment is no import, and a type is one. */
import ts from 'typescript'

/** The imports of `text`, of every form there is, as `{ name, isType }`: whether nothing is left of it when it runs. */
export function importsOf(file, text) {
  const found = []
  const add = (specifier, isType) => {
    if (specifier && ts.isStringLiteralLike(specifier)) found.push({ name: specifier.text, isType })
  }
  const visit = node => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isTypeImport(node.importClause))
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, isTypeExport(node))
    else if (ts.isImportTypeNode(node)) add(node.argument.literal, true)
    else if (ts.isExternalModuleReference(node)) add(node.expression, node.parent.isTypeOnly)
    else if (ts.isCallExpression(node) && isLoading(node.expression)) add(node.arguments[0], false)
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true))
  return found
}

function isTypeImport(clause) {
  if (!clause || clause.name || !clause.namedBindings) return clause?.isTypeOnly === true
  return clause.isTypeOnly || areTypes(clause.namedBindings)
}

function isTypeExport({ isTypeOnly, exportClause }) {
  return isTypeOnly || areTypes(exportClause)
}

/** Whether each of the names between braces is a type. */
function areTypes(bindings) {
  return bindings?.elements?.length > 0 && bindings.elements.every(({ isTypeOnly }) => isTypeOnly)
}

function isLoading(expression) {
  return (
    expression.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(expression) && expression.text === 'require')
  )
}
