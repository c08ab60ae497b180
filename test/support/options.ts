/** The table of an option: what it may be, what it may not, and what the error then says. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { type Config, resolveConfig } from '../../src/config.ts'

export interface OptionRow {
  /** How the error says what was expected. */
  readonly expected: string
  readonly good: readonly unknown[]
  /** Values that are refused, by how the error shows them; several that are shown alike are numbered after a `#`. */
  readonly bad: Readonly<Record<string, unknown>>
}

export const aFunction = () => undefined

export const FLAG: OptionRow = {
  expected: 'true or false',
  good: [true, false],
  bad: {
    '"true"': 'true',
    1: 1,
    0: 0,
    '""': '',
    'an object': {},
    'an array': [],
    'a function': aFunction,
    NaN: Number.NaN,
  },
}

/** What is no number of milliseconds that a session can live, by how the error shows it. */
export const NOT_MILLISECONDS = {
  '-1': -1,
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
  '1e+308': 1e308,
  '8000000000000001': 8e15 + 1,
  '"1000"': '1000',
  '"1d"': '1d',
  '""': '',
  true: true,
  false: false,
  '1000': 1000n,
  'an array': [1000],
  'an object': {},
  'an object #2': new Date(0),
  'Symbol(day)': Symbol('day'),
  'a function': aFunction,
}

/** Tests that `option` is taken as it is given, refused by name, and not set by `null`; `read` finds it. */
export function testOption(option: string, row: OptionRow, read: (config: Config) => unknown): void {
  const { expected, good, bad } = row

  test(`${option} is taken as it is given, when it is ${expected}`, () => {
    for (const value of good) {
      const options = Object.freeze({ [option]: value })
      assert.equal(read(resolveConfig(options)), value, String(value))
    }
  })

  for (const [row, value] of Object.entries(bad)) {
    const [shown] = row.split(' #')
    test(`${option} is refused when it is ${JSON.stringify(row)}, and the error says so`, () => {
      assert.throws(() => resolveConfig({ [option]: value }), {
        name: 'SessionError',
        code: 'ERR_SESSION_OPTION',
        message: `option ${option} was ${shown}, expected ${expected}`,
      })
    })
  }

  test(`${option} is not set when it is null or undefined`, () => {
    // Every configuration has an id generator of its own.
    const resolved = (options: object) => ({ ...resolveConfig({ ...options }), genid: undefined })
    assert.deepEqual(resolved({ [option]: null }), resolved({}))
    assert.deepEqual(resolved({ [option]: undefined }), resolved({}))
  })
}
