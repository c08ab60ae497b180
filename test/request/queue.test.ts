/** Work that is done one piece after the other: the commits of a request, and the writers of a session. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Queue } from '../../src/request/queue.ts'
import { Turns } from '../../src/request/turns.ts'
import { codeOf } from './site.ts'

const FAILURE = new Error('of the work')

/** Work by name that ends when the test says so; a name with `!` is done at once, and one with `?` throws. */
function works() {
  const told: string[] = []
  const ends = new Map<string, (error?: Error) => void>()
  return {
    told,
    end: async (name: string, error?: Error) => {
      ends.get(name)?.(error)
      await turn()
    },
    work(name: string): void | Promise<void> {
      told.push(name)
      if (name.endsWith('?')) throw FAILURE
      if (name.endsWith('!')) return
      return new Promise((resolve, reject) => ends.set(name, error => (error ? reject(error) : resolve())))
    },
  }
}

test('a piece is done at once where none is under way, and else after the one before', async () => {
  const { told, end, work } = works()
  const queue = new Queue({ work })
  assert.equal(queue.turn('a!'), undefined)
  assert.equal(queue.isBusy, false)
  const done = queue.turn('b')
  assert.equal(queue.isBusy, true)
  const next = queue.turn('c!')
  assert.deepEqual(told, ['a!', 'b'])
  await end('b')
  await Promise.all([done, next])
  assert.deepEqual([told, queue.isBusy], [['a!', 'b', 'c!'], false])
})

test('a piece is done though the one before has failed', async () => {
  const { told, end, work } = works()
  const queue = new Queue({ work })
  const failing = codeOf(() => queue.turn('a'))
  const next = queue.turn('b!')
  await end('a', FAILURE)
  await next
  assert.deepEqual([await failing, told, queue.isBusy], [FAILURE, ['a', 'b!'], false])
})

test('the first piece may be under way when the queue is made', async () => {
  const { told, end, work } = works()
  const queue = new Queue({ work }, work('a') as Promise<void>)
  assert.equal(queue.isBusy, true)
  queue.turn('b!')
  assert.deepEqual(told, ['a'])
  await end('a')
  assert.deepEqual([told, queue.isBusy], [['a', 'b!'], false])
})

test('the end of an earlier piece does not make the queue idle', async () => {
  const { end, work } = works()
  const queue = new Queue({ work })
  queue.turn('a')
  queue.turn('b')
  await end('a')
  assert.equal(queue.isBusy, true)
  await end('b')
  assert.equal(queue.isBusy, false)
})

test('it settles when all is done, what is added meanwhile included', async () => {
  const { told, end, work } = works()
  const queue = new Queue({ work })
  queue.add('a')
  let isSettled = false
  const settling = queue.settle().then(() => {
    isSettled = true
  })
  await turn()
  queue.add('b')
  await end('a')
  assert.equal(isSettled, false)
  await end('b')
  await settling
  assert.deepEqual(told, ['a', 'b'])
  await new Queue({ work }).settle()
})

test('it settles after what somebody else waits for, too', async () => {
  for (const begin of [
    (queue: Queue<string>) => queue.turn('a'),
    (queue: Queue<string>) => queue.add('a').catch(() => {}),
  ]) {
    const { end, work } = works()
    const queue = new Queue({ work })
    begin(queue)
    let isSettled = false
    const settling = queue.settle().then(() => {
      isSettled = true
    })
    await turn()
    assert.equal(isSettled, false)
    await end('a')
    await settling
  }
})

test('it settles with the first error that nobody waited for', async () => {
  for (const name of ['a', 'a?']) {
    const { end, work } = works()
    const queue = new Queue({ work })
    queue.add(name)
    queue.add('b!')
    await end(name, FAILURE)
    assert.equal(await codeOf(() => queue.settle()), FAILURE)
  }
})

test('it settles without an error that somebody waited for, by whatever way', async () => {
  const waits: readonly ((piece: Promise<void>) => unknown)[] = [
    piece => codeOf(() => piece),
    piece => piece.catch(() => {}),
    piece => piece.then(undefined, () => {}),
    piece => piece.finally(() => {}).catch(() => {}),
  ]
  for (const wait of waits) {
    const { work } = works()
    const queue = new Queue({ work })
    const waiting = wait(queue.add('a?'))
    await turn()
    assert.equal(await codeOf(() => queue.settle()), undefined)
    await waiting
  }
})

test('a piece gives what a promise gives', async () => {
  const { work } = works()
  const queue = new Queue({ work })
  assert.equal(await queue.add('a!').then(() => 'done'), 'done')
  assert.equal(await queue.add('a?').then(undefined, error => error), FAILURE)
})

test('work under one name waits for what came before, that under another does not', async () => {
  const turns = new Turns()
  const { told, end, work } = works()
  const take = (name: string, piece: string) => turns.take(name, async () => work(piece))
  const first = codeOf(() => take('one', 'a'))
  const second = take('one', 'b')
  const third = take('one', 'c')
  const other = take('two', 'd')
  assert.deepEqual(told, ['a', 'd'])
  await end('a', FAILURE)
  assert.deepEqual([await first, told], [FAILURE, ['a', 'd', 'b']])
  await end('b')
  assert.deepEqual(told, ['a', 'd', 'b', 'c'])
  await Promise.all([end('c'), end('d')])
  await Promise.all([second, third, other])
  const last = take('one', 'e')
  assert.equal(told.at(-1), 'e', 'at once')
  await end('e')
  await last
})

test('work under one name waits for what is under way, though something before that has ended', async () => {
  const turns = new Turns()
  const { told, end, work } = works()
  const pieces = ['a', 'b'].map(piece => turns.take('one', async () => work(piece)))
  await end('a')
  pieces.push(turns.take('one', async () => work('c')))
  assert.deepEqual(told, ['a', 'b'])
  await end('b')
  assert.deepEqual(told, ['a', 'b', 'c'])
  await end('c')
  await Promise.all(pieces)
})
