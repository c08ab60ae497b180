/*
 * What run.mjs measures in each of its three kinds, and what it makes of the samples: ratios within a round, because the
 * machine changes its pace from one to the next. Pure functions.
 */

import { cases, coldTargetOf, gross, grossFirstVisit, onceTargets } from './cases.mjs'
import { fixed } from './markdown.mjs'
import { median, minus, noise } from './statistics.mjs'

const all = names => ({ cookie: names, sealed: names, store: names })
const isInCookie = ({ mode }) => mode !== 'store'
const mean = list => list.reduce((sum, value) => sum + value, 0) / list.length

/* What variant `name` takes above bare Koa, a list for each start. */
const above = (samples, name) => samples[name]?.map((list, start) => minus(list, samples.bare[start]))
const summary = starts => starts && { microseconds: median(starts.map(median)), noise: noise(starts.flat()) }
/* Of what is above bare Koa: the share that the one has of the other. */
function ratioOf(samples, one, other) {
  const [now, before] = [above(samples, one), above(samples, other)]
  return now && before && median(now.map((list, start) => median(list.map((value, at) => value / before[start][at]))))
}
const meansRatio = (samples, one, other) => {
  const of = name => mean(above(samples, name).flat())
  return samples[one] && samples[other] && of(one) / of(other)
}

function timesAndRatios({ key, mode, ...entry }, what) {
  const samples = entry[what]
  return {
    key,
    mode,
    bare: median(samples.bare.map(median)),
    before: summary(above(samples, '7.0.2')),
    now: summary(above(samples, '8')),
    floors: ['floor', 'floor, memory'].map(name => summary(above(samples, name))),
    ratio: ratioOf(samples, '8', '7.0.2'),
    ofFloors: ['floor', 'floor, memory'].map(name => ratioOf(samples, '8', name)),
  }
}

function warm(entry) {
  const one = timesAndRatios(entry, 'times')
  const { bytes, key, mode } = entry
  const allocated = name => bytes[name] && median(bytes.bare.map((bare, i) => median(minus(bytes[name][i], bare))))
  const [bytesBefore, bytesNow, bytesOfFloor] = ['7.0.2', '8', 'floor, memory'].map(allocated)
  const remembers = key !== 'first visit'
  const ofFloor = one.ofFloors[remembers ? 1 : 0]
  const byteRatio = bytesNow / bytesBefore
  return { ...one, ofFloor, bytesBefore, bytesNow, bytesOfFloor, byteRatio, target: cases[key].targets[mode] }
}

const time = one => (one ? `${fixed(one.microseconds)} ± ${fixed(one.noise)}` : '–')
const ratio = value => (value === undefined ? '–' : fixed(value, 2))
const goal = value => (value === undefined ? '–' : `≤ ${value}`)
const whole = value => (value === undefined ? '–' : String(Math.round(value)))

/* Whether what is known of both is above the other. */
const isAbove = (value, limit) => value !== undefined && limit !== undefined && value > limit

export function grossOf({ mode, key, ratio, ofFloors = [], byteRatio }) {
  const limit = gross[mode]
  if (cases[key].mayBeGross) return []
  const judged = [
    ["7.0.2's time", ratio, key === 'first visit' ? grossFirstVisit : limit.before],
    ["the floor's time", ofFloors[0], limit.floor],
    ["7.0.2's bytes", byteRatio, limit.bytes],
  ]
  return judged
    .filter(([, value, limit]) => isAbove(value, limit))
    .map(([what, value]) => `${fixed(value, 2)} of ${what}`)
}

export const kinds = {
  warm: {
    what: 'times',
    names: { ...all(['bare', '7.0.2', '8', 'floor', 'floor, memory']), store: ['bare', '7.0.2', '8'] },
    isMeasured: () => true,
    // Every batch pays its share of collections. With the 16 MB that Node allows most batches see none, and their
    // median leaves out what allocation costs; the ratios were the same within their noise.
    plan: isQuick => ({
      semiSpace: 1,
      ...(isQuick
        ? { warmUp: 300, starts: 3, seconds: 6, requests: 100 }
        : { warmUp: 2000, starts: 5, seconds: 60, requests: 200 }),
    }),
    summarize: warm,
    titles: ['mode', 'case', '>7.0.2, µs', '>8, µs', '>floor, µs', '>with memory', '>8 / 7.0.2', '>target'].concat([
      '>8 / floor',
      '>8 / with memory',
      '>target',
      '>7.0.2, bytes',
      '>8',
      '>with memory',
      '>8 / 7.0.2',
      '>target',
    ]),
    row: ({ mode, key, before, now, floors, ratio: ofBefore, ofFloors, target, ...bytes }) => [
      ...[mode, key, time(before), time(now), ...floors.map(time)],
      ...(target.microseconds ? ['–', `< ${target.microseconds} µs`] : [ratio(ofBefore), goal(target.before)]),
      ...[...ofFloors.map(ratio), goal(target.floor)],
      ...[bytes.bytesBefore, bytes.bytesNow, bytes.bytesOfFloor].map(whole),
      ...[ratio(bytes.byteRatio), goal(target.bytes)],
    ],
    misses: ({ now, ratio, ofFloor, byteRatio, target }) =>
      [
        (isAbove(now.microseconds, target.microseconds) || isAbove(ratio, target.before)) && 'time',
        isAbove(ofFloor, target.floor) && 'floor',
        isAbove(byteRatio, target.bytes) && 'bytes',
      ].filter(Boolean),
  },

  cold: {
    what: 'cold',
    names: all(['bare', '7.0.2', '8', 'floor', 'floor, memory']),
    isMeasured: entry => isInCookie(entry) && entry.key !== 'untouched',
    plan: isQuick => ({
      ...(isQuick
        ? { warmUp: 300, starts: 2, seconds: 12, requests: 15 }
        : { warmUp: 2000, starts: 5, seconds: 60, requests: 25 }),
    }),
    summarize: entry => ({ ...timesAndRatios(entry, 'cold'), target: coldTargetOf(entry) }),
    titles: ['mode', 'case', '>7.0.2, µs', '>8, µs', '>floor, µs', '>with memory', '>8 / 7.0.2', '>target'].concat([
      '>8 / floor',
      '>8 / with memory',
    ]),
    row: ({ mode, key, before, now, floors, ratio: ofBefore, ofFloors, target }) => [
      ...[mode, key, time(before), time(now), ...floors.map(time), ratio(ofBefore), goal(target.before)],
      ...ofFloors.map(ratio),
    ],
    misses: ({ ratio, target }) => [isAbove(ratio, target.before) && 'time'].filter(Boolean),
  },

  once: {
    what: 'once',
    names: all(['bare', '7.0.2', '8', '8, remember: 0', 'floor', 'floor, memory']),
    isMeasured: entry => isInCookie(entry) && /^(read|write)/.test(entry.key),
    // Node's own size, and means: what is kept is paid for in few and long collections.
    plan: isQuick => ({
      semiSpace: 16,
      ...(isQuick
        ? { warmUp: 1000, starts: 1, seconds: 24, requests: 1000 }
        : { warmUp: 2000, starts: 3, seconds: 160, requests: 1000 }),
    }),
    summarize: ({ key, mode, once }) => ({
      key,
      mode,
      bare: median(once.bare.map(median)),
      means: ['7.0.2', '8', '8, remember: 0', 'floor', 'floor, memory'].map(name => mean(above(once, name).flat())),
      ratio: meansRatio(once, '8', '7.0.2'),
      ofFloor: meansRatio(once, '8', 'floor'),
      ofOff: meansRatio(once, '8', '8, remember: 0'),
    }),
    titles: ['mode', 'case', '>7.0.2, µs', '>8, µs', '>remember: 0', '>floor, µs', '>with memory', '>8 / 7.0.2'].concat(
      ['>8 / floor', '>target', '>8 / remember: 0', '>target'],
    ),
    row: ({ mode, key, means, ratio: ofBefore, ofFloor, ofOff }) => [
      ...[mode, key, ...means.map(value => fixed(value)), ratio(ofBefore)],
      ...[ratio(ofFloor), goal(onceTargets.floor), ratio(ofOff), goal(onceTargets.off)],
    ],
    misses: ({ ofFloor, ofOff }) =>
      [isAbove(ofFloor, onceTargets.floor) && 'floor', isAbove(ofOff, onceTargets.off) && 'memory'].filter(Boolean),
  },
}
