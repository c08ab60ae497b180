/*
 * Writes tables in the form in which bench/README.md has them, so that new results are pasted and not retyped.
 */

const isNumeric = column => column.startsWith('>')

// A column's title that begins with `>` has its cells at the right.
export function table(titles, rows) {
  const lines = [titles.map(title => title.replace('>', '')), titles.map(one => (isNumeric(one) ? '---:' : '---'))]
  return [...lines, ...rows].map(cells => `| ${cells.join(' | ')} |`).join('\n')
}

export const fixed = (value, digits = 1) => (Number.isFinite(value) ? value.toFixed(digits) : '–')
