/*
 * The arithmetic of every benchmark here, kept apart from what is measured, so that a median or a noise means
 * the same in each of their tables. Pure functions, except that `shuffled` draws its order by chance.
 */

export function quantile(list, share) {
  const sorted = [...list].sort((a, b) => a - b)
  const position = (sorted.length - 1) * share
  const low = Math.floor(position)
  const high = Math.ceil(position)
  return sorted[low] + (sorted[high] - sorted[low]) * (position - low)
}

export const median = list => quantile(list, 0.5)

// Half the interquartile range, which supposes no distribution and which outliers do not move.
export const noise = list => (quantile(list, 0.75) - quantile(list, 0.25)) / 2

export const minus = (a, b) => a.map((value, i) => value - b[i])

export function shuffled(list) {
  const keyed = list.map(value => ({ value, key: Math.random() }))
  return keyed.sort((a, b) => a.key - b.key).map(({ value }) => value)
}

// The least squares line through points [x, y]: what y grows by for each x, and the standard error of that.
export function slope(points) {
  const count = points.length
  const mean = index => points.reduce((sum, point) => sum + point[index], 0) / count
  const [middleX, middleY] = [mean(0), mean(1)]
  const spread = points.reduce((sum, [x]) => sum + (x - middleX) ** 2, 0)
  const value = points.reduce((sum, [x, y]) => sum + (x - middleX) * (y - middleY), 0) / spread
  const left = points.reduce((sum, [x, y]) => sum + (y - middleY - value * (x - middleX)) ** 2, 0)
  return { value, error: Math.sqrt(left / (count - 2) / spread) }
}
