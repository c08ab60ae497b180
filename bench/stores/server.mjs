/*
 * The server of one variant, in a process of its own. It listens on the loopback, and does what it is told by IPC: says
 * what it has used of a processor or of the heap, and ends whatever it has opened.
 */

import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { variants } from './variants.mjs'

// That of IPC, and of standard output where it is one.
process.on('message', async question => process.send(await answers[question]()))
const before = process.getActiveResourcesInfo()
const { variant, ...options } = JSON.parse(process.argv[2])
const { listener, close } = await variants[variant].open(options)
// Longer than the pauses of a machine that does other work.
const server = createServer({ keepAliveTimeout: 60_000 }, listener)

const answers = {
  used: () => ({ used: process.cpuUsage() }),
  heap() {
    global.gc()
    return { heap: process.memoryUsage().heapUsed }
  },
  async close() {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
    await close?.()
    // A socket that was ended is gone some turns of the event loop later.
    await sleep(200)
    const handles = process.getActiveResourcesInfo()
    for (const one of before) if (handles.includes(one)) handles.splice(handles.indexOf(one), 1)
    return { handles }
  },
}

server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
// Told to close it ends by itself, or something is left open.
process.on('disconnect', () => server.listening && process.exit())
