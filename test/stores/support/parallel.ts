/**
 * What parallel requests must not lose, and what must not come back, over HTTP: told of every store that is written to
 * key by key. Half of the requests are another application's, with a store object of its own, so that nothing but the
 * database stands between the two.
 */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Store } from 'koa-session'
import type { Register } from './contract.ts'
import { gates, Meeting, openSite, type Person, randomFrom, type SitePage, waiting } from './site.ts'

const KEYS = 200
const INCREMENTS = 500
const ROUNDS = 20
const AT_A_TIME = 4
const DEVICES = 5
/** The longest (ms) that a request of a race waits. */
const LONGEST = 25
const SEED = 2026

const COOKIE = 'koa.sess'
const subject = ({ user }: { user?: unknown }) => (typeof user === 'string' ? user : undefined)
const times = <To>(count: number, make: (index: number) => Promise<To>) =>
  Promise.all(Array.from({ length: count }, (_, index) => make(index)))

const PAGES: Readonly<Record<string, SitePage>> = {
  '/in': async ({ ctx, query }) => {
    ctx.session.user = query.get('user')
    await ctx.session.regenerate({ fresh: true })
  },
  '/who': ({ ctx }) => ctx.session.user ?? 'nobody',
  '/all': ({ ctx }) => JSON.stringify(ctx.session),
  '/set': async ({ ctx, query, meeting }) => {
    await meeting?.pass()
    ctx.session[String(query.get('key'))] = 1
  },
  '/count': async ({ ctx, meeting }) => {
    await meeting?.pass()
    await ctx.session.update(increment)
  },
  '/slow-look': waiting,
  '/slow-set': async call => {
    await waiting(call)
    call.ctx.session.seen = 1
  },
  '/slow-save': async call => {
    call.ctx.session.early = 1
    await call.ctx.session.save()
    await waiting(call)
    call.ctx.session.late = 1
  },
  '/slow-count': async call => {
    await waiting(call)
    await call.ctx.session.update(increment)
  },
  '/slow-regenerate': async call => {
    await waiting(call)
    await call.ctx.session.regenerate()
  },
  '/slow-out': async call => {
    await waiting(call)
    call.ctx.session = null
  },
  '/others-out': async call => {
    await waiting(call)
    const { ctx, store } = call
    await store.destroyAll?.(ctx.session.user, { except: ctx.session.externalKey })
  },
}
const SLOW = ['/slow-look', '/slow-set', '/slow-save', '/slow-count']

function increment(draft: { n?: number }): void {
  draft.n = (draft.n ?? 0) + 1
}

/**
 * Registers the tests. `stores` gives two stores on the same data when they are run, on connections of their own where
 * there are any.
 */
export function proveParallel(register: Register, stores: () => readonly Store[]): void {
  register(`${KEYS} parallel requests of one session set a key each, and none is lost`, async t => {
    const person = await openSite(t, stores(), PAGES, {}, new Meeting(KEYS))
    await person.get('/in?user=keys')
    await times(KEYS, index => person.get(`/set?key=key${index}`))
    const expected = Array.from({ length: KEYS }, (_, index) => [`key${index}`, 1])
    assert.deepEqual(JSON.parse(await person.get('/all')), { user: 'keys', ...Object.fromEntries(expected) })
  })

  register(`${INCREMENTS} parallel increments by update() all count`, async t => {
    const person = await openSite(t, stores(), PAGES, {}, new Meeting(INCREMENTS))
    await person.get('/in?user=counter')
    await times(INCREMENTS, () => person.get('/count'))
    assert.deepEqual(JSON.parse(await person.get('/all')), { user: 'counter', n: INCREMENTS })
  })

  for (const rolling of [false, true]) {
    const how = rolling ? ', though each extends it' : ''

    register(`a session that was ended does not come back by requests that are under way${how}`, async t => {
      const [one] = stores()
      const person = await openSite(t, stores(), PAGES, { rolling, subject })
      await playRounds(async (round, random) => {
        const user = `ended${rolling}${round}`
        const { visitor, people } = await underWay(person, user, [...SLOW, '/slow-out', ...SLOW], random)
        await nobodyIs([visitor, ...people], `round ${round}`)
        assert.deepEqual(await one?.list?.(user), [])
      })
    })

    register(`an id that was given up is good for nothing, whatever is under way by it${how}`, async t => {
      const [one] = stores()
      const person = await openSite(t, stores(), PAGES, { rolling, subject })
      await playRounds(async (round, random) => {
        const user = `regenerated${rolling}${round}`
        const slow = [...SLOW, '/slow-regenerate', '/slow-regenerate', ...SLOW]
        const { visitor, people } = await underWay(person, user, slow, random)
        await nobodyIs([visitor], `round ${round}`)
        const [renewed] = people.filter(({ cookies }) => cookies.get(COOKIE) !== visitor.cookies.get(COOKIE))
        assert.ok(renewed, `round ${round}: nobody has the new id`)
        assert.equal(await renewed.get('/who'), user)
        assert.equal((await one?.list?.(user))?.length, 1)
        await renewed.get('/slow-out?wait=0')
        assert.deepEqual(await one?.list?.(user), [])
      })
    })
  }

  register('a session that was ended does not come back under a new id', async t => {
    const [one] = stores()
    const person = await openSite(t, stores(), PAGES, { rolling: true, subject })
    await playRounds(async (round, random) => {
      const user = `late${round}`
      const visitor = person.stranger()
      await visitor.get(`/in?user=${user}`)
      const slow = ['/slow-regenerate', ...SLOW].map(path => [visitor.copy(), path] as const)
      // A request that gave it a new id before the sign-out would be right to.
      let open = () => {}
      gates.set(
        user,
        new Promise<void>(resolve => {
          open = resolve
        }),
      )
      const pending = slow.map(([who, path]) => who.get(`${path}?gate=${user}`))
      await sleep(random() * LONGEST)
      await visitor.copy().get('/slow-out?wait=0').finally(open)
      await Promise.all(pending)
      await nobodyIs([visitor, ...slow.map(([who]) => who)], `round ${round}`)
      assert.deepEqual(await one?.list?.(user), [])
    })
  })

  register(`of ${DEVICES} devices all others are signed out, whatever they are doing`, async t => {
    const [one] = stores()
    const person = await openSite(t, stores(), PAGES, { rolling: true, subject })
    await playRounds(async (round, random) => {
      const user = `devices${round}`
      const devices = await times(DEVICES, async () => {
        const device = person.stranger()
        await device.get(`/in?user=${user}`)
        return device
      })
      const [own, ...others] = devices
      assert.ok(own)
      const requests = others.flatMap(device =>
        [...SLOW, '/slow-regenerate'].map(path => [device.copy(), path] as const),
      )
      const wait = () => `wait=${random() * LONGEST}`
      const pending = requests.map(([who, path]) => who.get(`${path}?${wait()}`))
      await Promise.all([...pending, own.get(`/others-out?${wait()}`)])
      await nobodyIs([...others, ...requests.map(([who]) => who)], `round ${round}`)
      assert.equal(await own.get('/who'), user)
      assert.equal((await one?.list?.(user))?.length, 1)
    })
  })
}

/** Some at a time, as most of a round is waiting. Each has its own chance, which is the same whenever it is played. */
async function playRounds(play: (round: number, random: () => number) => Promise<void>): Promise<void> {
  for (let first = 0; first < ROUNDS; first += AT_A_TIME) {
    await times(AT_A_TIME, index => play(first + index, randomFrom(SEED + first + index)))
  }
}

/** Signs somebody in, whose requests are then all under way at the same time, each for a while. */
async function underWay(person: Person, user: string, paths: readonly string[], random: () => number) {
  const visitor = person.stranger()
  await visitor.get(`/in?user=${user}`)
  const people = paths.map(() => visitor.copy())
  await Promise.all(people.map((one, index) => one.get(`${paths[index]}?wait=${random() * LONGEST}`)))
  return { visitor, people }
}

async function nobodyIs(people: readonly Person[], message: string): Promise<void> {
  const answers = await Promise.all(people.map(one => one.get('/who')))
  for (const answer of answers) assert.equal(answer, 'nobody', message)
}
