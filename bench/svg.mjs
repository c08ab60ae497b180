/*
 * Draws line and bar charts as SVG. Its own few lines and not a library's, because those that need no browser bring many
 * packages for what is here a scale and a path. Colours are of middle brightness, to be read on white and on black.
 */

const ink = '#7d8590'
const [panelWidth, panelHeight] = [440, 260]
const margin = { top: 116, left: 64, right: 20, bottom: 56, between: 76 }

const text = (x, y, content, { anchor = 'middle', size = 12, more = '' } = {}) =>
  `<text x="${x}" y="${y}" text-anchor="${anchor}" font-size="${size}" fill="${ink}"${more}>${content}</text>`
const line = (x1, y1, x2, y2, more = '') => `<path d="M${x1} ${y1}L${x2} ${y2}" stroke="${ink}"${more}/>`

// Round steps: the largest of 1, 2 and 5 times a power of ten that gives four or more of them.
function linearTicks(largest) {
  const power = 10 ** Math.floor(Math.log10(largest))
  const step = [power, power / 2, power / 5, power / 10].find(one => largest / one >= 4)
  const count = Math.ceil(largest / step)
  return Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(6)))
}

function logarithmicTicks(smallest, largest) {
  const first = Math.floor(Math.log10(smallest))
  const last = Math.ceil(Math.log10(largest))
  return Array.from({ length: last - first + 1 }, (_, index) => 10 ** (first + index))
}

function scale(from, to, isLogarithmic, [low, high]) {
  const place = isLogarithmic ? Math.log10 : Number
  return value =>
    Math.round((low + ((place(value) - place(from)) / (place(to) - place(from))) * (high - low)) * 10) / 10
}

const markers = {
  circle: (x, y, colour) => `<circle cx="${x}" cy="${y}" r="4" fill="${colour}"/>`,
  square: (x, y, colour) => `<rect x="${x - 4}" y="${y - 4}" width="8" height="8" fill="${colour}"/>`,
  none: () => '',
}

function curve({ colour, marker, dash = 'none' }, points) {
  const path = points.map(([x, y]) => `${x} ${y}`).join('L')
  const stroke = `stroke="${colour}" stroke-width="2" stroke-dasharray="${dash}" fill="none"`
  return `<path d="M${path}" ${stroke}/>${points.map(([x, y]) => markers[marker](x, y, colour)).join('')}`
}

// { title, xAxis, yAxis, xTicks: [[value, label]], xIsLogarithmic, yIsLogarithmic, lines: [{ style, points }] }
function panel({ title, xAxis, yAxis, xTicks, xIsLogarithmic, yIsLogarithmic, lines }, left) {
  const [top, bottom, right] = [margin.top, margin.top + panelHeight, left + panelWidth]
  const values = lines.flatMap(({ points }) => points.map(([, y]) => y))
  const [smallest, largest] = [Math.min(...values), Math.max(...values)]
  const yTicks = yIsLogarithmic ? logarithmicTicks(smallest, largest) : linearTicks(largest)
  const places = xTicks.map(([value]) => value)
  const x = scale(places[0], places.at(-1), xIsLogarithmic, [left + 16, right - 16])
  const y = scale(yTicks[0], yTicks.at(-1), yIsLogarithmic, [bottom, top])
  const middle = (top + bottom) / 2
  const turned = ` transform="rotate(-90 ${left - 48} ${middle})"`
  return [
    text(left, 50, title, { anchor: 'start', size: 13 }),
    ...legend(lines, left),
    ...yTicks.map(tick => line(left, y(tick), right, y(tick), ' stroke-opacity="0.3"')),
    ...yTicks.map(tick => text(left - 8, y(tick) + 4, tick.toLocaleString('en-US'), { anchor: 'end' })),
    line(left, bottom, right, bottom),
    ...xTicks.map(([value, label]) => text(x(value), bottom + 18, label)),
    text(left + panelWidth / 2, bottom + 42, xAxis, { size: 13 }),
    text(left - 48, middle, yAxis, { size: 13, more: turned }),
    ...lines.map(({ style, points }) =>
      curve(
        style,
        points.map(([value, height]) => [x(value), y(height)]),
      ),
    ),
  ].join('\n')
}

// In two rows, above its panel.
function legend(lines, left) {
  const columns = Math.ceil(lines.length / 2)
  return lines.map(({ name, style }, index) => {
    const x = left + (index % columns) * (panelWidth / columns)
    const y = 72 + Math.floor(index / columns) * 20
    const sample = [x, x + 32].map(end => [end, y])
    return curve(style, sample) + text(x + 44, y + 4, name, { anchor: 'start' })
  })
}

const svg = (title, width, height, parts) =>
  `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" role="img">`,
    `<title>${title}</title>`,
    text(margin.left, 24, title, { anchor: 'start', size: 16, more: ' font-weight="600"' }),
    ...parts,
    '</svg>',
  ].join('\n')}\n`

export function chart({ title, panels }) {
  const width = margin.left + panels.length * panelWidth + (panels.length - 1) * margin.between + margin.right
  const height = margin.top + panelHeight + margin.bottom
  const left = index => margin.left + index * (panelWidth + margin.between)
  return svg(
    title,
    width,
    height,
    panels.map((one, index) => panel(one, left(index))),
  )
}

const [barHeight, namesWidth, barsWidth, valuesWidth] = [20, 250, 260, 60]

// { title, bars: [{ name, value, colour }] }, the bars of all panels under the names of the first.
export function bars({ title, panels }) {
  const names = panels[0].bars.map(({ name }) => name)
  const top = 72
  const width = margin.left + namesWidth + panels.length * (barsWidth + valuesWidth) + margin.right
  const y = index => top + index * barHeight
  const start = margin.left + namesWidth
  const parts = panels.flatMap(({ title, bars }, panelIndex) => {
    const left = start + panelIndex * (barsWidth + valuesWidth)
    const length = scale(0, Math.max(...bars.map(({ value }) => value)), false, [0, barsWidth])
    return [
      text(left, 54, title, { anchor: 'start', size: 13 }),
      ...bars.map(({ value, colour }, index) => {
        const end = text(left + length(value) + 6, y(index) + 13, Math.round(value).toLocaleString('en-US'), {
          anchor: 'start',
        })
        return `<rect x="${left}" y="${y(index) + 2}" width="${length(value)}" height="${barHeight - 6}" fill="${colour}"/>${end}`
      }),
    ]
  })
  const labels = names.map((name, index) => text(start - 10, y(index) + 13, name, { anchor: 'end' }))
  return svg(title, width, y(names.length) + 20, [...labels, ...parts])
}
