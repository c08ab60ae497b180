/* Counts with a session in the cookie, and with one in a store: `counts 1 2 3`. */
const { randomBytes } = require('node:crypto')

exports.told = async ({ Koa, session, memoryStore }) => {
  const inCookie = await counted(Koa, app => session({ seal: true }, app))
  const inStore = await counted(Koa, app => session({ store: memoryStore() }, app))
  return inCookie === inStore ? `counts ${inCookie}` : `counts ${inCookie}, and in a store ${inStore}`
}

async function counted(Koa, middleware) {
  const app = new Koa()
  app.keys = [randomBytes(32).toString('base64url')]
  app.use(middleware(app))
  app.use(ctx => {
    ctx.session.count = (ctx.session.count ?? 0) + 1
    ctx.body = String(ctx.session.count)
  })
  const server = app.listen(0, '127.0.0.1')
  try {
    await new Promise(resolve => server.once('listening', resolve))
    const url = `http://127.0.0.1:${server.address().port}/`
    const counts = []
    let cookie = ''
    while (counts.length < 3) {
      const response = await fetch(url, { headers: cookie === '' ? {} : { cookie } })
      const lines = response.headers.getSetCookie()
      if (lines.length > 0) cookie = lines.map(line => line.split(';')[0]).join('; ')
      counts.push(await response.text())
    }
    return counts.join(' ')
  } finally {
    server.closeAllConnections()
    server.close()
  }
}
