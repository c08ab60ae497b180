/**
 * The strongly connected components of a graph that have more than one node, the largest first: who reaches whom, and is
 * reached by them. `edges` has the neighbours of each node. An arrow of a node to itself is a circle too. (Tarjan, 1972.)
 */
export function circlesOf(edges) {
  const index = new Map()
  const low = new Map()
  const stack = []
  const circles = []

  const visit = node => {
    index.set(node, index.size)
    low.set(node, index.get(node))
    stack.push(node)
    for (const next of edges.get(node) ?? []) {
      if (!index.has(next)) visit(next)
      if (stack.includes(next)) low.set(node, Math.min(low.get(node), low.get(next)))
    }
    if (low.get(node) !== index.get(node)) return
    const circle = stack.splice(stack.indexOf(node)).sort()
    if (circle.length > 1 || edges.get(node)?.includes(node)) circles.push(circle)
  }

  for (const node of edges.keys()) if (!index.has(node)) visit(node)
  return circles.sort((a, b) => b.length - a.length || (a[0] < b[0] ? -1 : 1))
}
