// Starts a real atproto network on loopback (PLC, PDS, bsync, AppView, Ozone
// from @atproto/dev-env), the recording front before the PDS and a stand-in
// for the chat service; makes the accounts; prints one line `READY {json}`.
// Stays up until SIGTERM or SIGINT. Run it with ./run.sh after ./setup.sh.
import dns from 'node:dns'
import fs from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import path from 'node:path'

const T0 = Date.now()
const env = process.env
const num = (k, d) => Number(env[k] ?? d)
const home = env.BLUESKY_NET_HOME ?? '/var/tmp/bluesky-net'
const PORT = {
  front: num('FRONT_PORT', 2680), // what the connector is given as its PDS
  control: num('CONTROL_PORT', 2681),
  plc: num('PLC_PORT', 2682),
  pds: num('PDS_PORT', 2683),
  appview: num('APPVIEW_PORT', 2684),
  ozone: num('OZONE_PORT', 2685),
  chat: num('CHAT_PORT', 2686),
}
const CUSTOMERS = num('CUSTOMERS', 3)
const RATE_LIMITS = env.RATE_LIMITS === '1'
const NOTIF_DELAY_MS = num('NOTIF_DELAY_MS', 0)
const CHAT_MODE = env.CHAT_MODE ?? 'front' // or 'pds': the real PDS proxies to the stand-in
const HOST = '127.0.0.1'
const FRONT_URL = `http://${HOST}:${PORT.front}`
const CHAT_DID = 'did:web:api.bsky.chat'
const APPVIEW_ALIAS = 'did:web:api.bsky.app'
const JWT_SECRET = 'jwt-secret' // dev-env's
const ADMIN_PASSWORD = 'admin-pass' // dev-env's

// ---- everything listens on loopback only ----------------------------------
dns.setDefaultResultOrder('ipv4first')
const listen = net.Server.prototype.listen
net.Server.prototype.listen = function (...a) {
  if (typeof a[0] === 'number' || (typeof a[0] === 'string' && /^\d+$/.test(a[0]))) {
    if (typeof a[1] !== 'string') a.splice(1, 0, HOST)
  } else if (a[0] && typeof a[0] === 'object' && a[0].port != null && !a[0].host) {
    a[0] = { ...a[0], host: HOST }
  }
  return listen.apply(this, a)
}

// ---- private files --------------------------------------------------------
const runDir = path.join(home, `run-${process.pid}`)
fs.mkdirSync(runDir, { recursive: true })
env.TMPDIR = runDir
env.LOG_ENABLED ??= 'false'
env.REDIS_HOST = `${HOST}:${num('BSKY_REDIS_PORT', 16379)}`
const PG_URL = env.DB_POSTGRES_URL ?? `postgres://postgres@${HOST}:${num('BSKY_PG_PORT', 15432)}/postgres`
const letters = (n) => Array.from({ length: n }, () => 'abcdefghijklmnopqrstuvwxyz'[(Math.random() * 26) | 0]).join('')
const schema = `run_${letters(10)}`

const { TestNetwork } = await import('@atproto/dev-env')
const { AtpAgent } = await import('@atproto/api')
const { verifyJwt } = await import('@atproto/xrpc-server')
const { default: pg } = await import('pg')
const { ChatService, ChatError } = await import('./chat.mjs')
const { Front } = await import('./front.mjs')
const T1 = Date.now()

// ---- the real network -----------------------------------------------------
const network = await TestNetwork.create({
  dbPostgresUrl: PG_URL,
  dbPostgresSchema: schema,
  plc: { port: PORT.plc },
  pds: {
    port: PORT.pds,
    rateLimitsEnabled: RATE_LIMITS,
    enableDidDocWithSession: true, // as the public PDSs do
    bskyAppViewCdnUrlPattern: `http://${HOST}:${PORT.appview}/img/%s/plain/%s/%s`,
    ...(env.BLOB_LIMIT ? { blobUploadLimit: num('BLOB_LIMIT') } : {}),
  },
  bsky: {
    port: PORT.appview,
    publicUrl: `http://${HOST}:${PORT.appview}`, // so that image URLs resolve
    alternateAudienceDids: [APPVIEW_ALIAS],
    notificationsDelayMs: NOTIF_DELAY_MS,
  },
  ozone: { port: PORT.ozone },
})
const { pds, bsky, plc } = network
const pdsUrl = `http://${HOST}:${PORT.pds}`
const appviewUrl = `http://${HOST}:${PORT.appview}`

// DID documents name the front as the account's PDS, as a deployment's would
// name the PDS the connector is given. dev-env's own resolvers map it back.
pds.ctx.cfg.service.publicUrl = FRONT_URL
const inner = pds.ctx.idResolver.did.resolveNoCache
pds.ctx.idResolver.did.resolveNoCache = async (did) => {
  const service = (id, type, serviceEndpoint) => ({ id: did, service: [{ id, type, serviceEndpoint }] })
  if (did === CHAT_DID) return service('#bsky_chat', 'BskyChatService', `http://${HOST}:${PORT.chat}`)
  if (did === APPVIEW_ALIAS) return service('#bsky_appview', 'BskyAppView', appviewUrl)
  const doc = await inner(did)
  for (const s of doc?.service ?? []) {
    if (s.serviceEndpoint === pds.url) s.serviceEndpoint = FRONT_URL
  }
  return doc
}

// ---- the chat stand-in, also reachable the way the real PDS proxies --------
const chat = new ChatService({ pdsUrl, appviewUrl })
const chatServer = http.createServer(async (req, res) => {
  const send = (status, obj) => {
    const b = JSON.stringify(obj)
    res.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'content-length': Buffer.byteLength(b) })
    res.end(b)
  }
  try {
    const parts = []
    for await (const d of req) parts.push(d)
    const url = new URL(req.url, 'http://chat')
    const nsid = url.pathname.replace(/^\/xrpc\//, '')
    const jwt = (req.headers.authorization ?? '').replace(/^Bearer /, '')
    if (!jwt) return send(401, { error: 'AuthMissing', message: 'Authentication Required' })
    const { iss } = await verifyJwt(jwt, CHAT_DID, nsid, (did, fresh) =>
      bsky.ctx.idResolver.did.resolveAtprotoKey(did.split('#')[0], fresh),
    )
    const out = await chat.handle({
      nsid, method: req.method, query: url.searchParams, body: Buffer.concat(parts),
      contentType: req.headers['content-type'], did: iss.split('#')[0],
    })
    send(200, out)
  } catch (e) {
    if (e instanceof ChatError) return send(e.status, { error: e.error, message: e.message })
    if (e?.customErrorName || e?.type === 401) return send(401, { error: e.customErrorName ?? 'AuthenticationRequired', message: e.message })
    process.stderr.write(`chat: ${e?.stack ?? e}\n`)
    send(500, { error: 'InternalServerError', message: 'Internal Server Error' })
  }
})
await new Promise((ok, no) => chatServer.once('error', no).listen(PORT.chat, HOST, ok))

// ---- accounts ---------------------------------------------------------------
const NAMES = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi']
const customerNames = Array.from({ length: CUSTOMERS }, (_, i) => NAMES[i] ?? `customer${i + 1}`)
const cap = (s) => s[0].toUpperCase() + s.slice(1)
const tries = async (fn) => {
  for (let i = 0; ; i++) {
    try {
      return await fn()
    } catch (e) {
      if (i === 4) throw e
      await new Promise((r) => setTimeout(r, 200))
    }
  }
}
async function makeAccount(name, { displayName, allowIncoming }) {
  const client = new AtpAgent({ service: pdsUrl })
  const handle = `${name}.test`
  const password = `${name}-password-1`
  const { data } = await client.createAccount({ handle, email: `${name}@example.com`, password })
  const auth = { headers: { authorization: `Bearer ${data.accessJwt}`, 'content-type': 'application/json' } }
  const call = async (nsid, body) => {
    const r = await fetch(`${pdsUrl}/xrpc/${nsid}`, { method: 'POST', ...auth, body: JSON.stringify(body) })
    const j = await r.json()
    if (!r.ok) throw new Error(`${nsid} for ${handle}: ${r.status} ${JSON.stringify(j)}`)
    return j
  }
  await call('com.atproto.repo.putRecord', {
    repo: data.did, collection: 'app.bsky.actor.profile', rkey: 'self',
    record: { $type: 'app.bsky.actor.profile', displayName, createdAt: new Date().toISOString() },
  })
  if (allowIncoming) {
    await call('com.atproto.repo.putRecord', {
      repo: data.did, collection: 'chat.bsky.actor.declaration', rkey: 'self',
      record: { $type: 'chat.bsky.actor.declaration', allowIncoming },
    })
  }
  const account = { name, handle, did: data.did, displayName, password, email: `${name}@example.com` }
  if (name === 'brand') {
    const plainPw = await call('com.atproto.server.createAppPassword', { name: 'connector-no-dm' })
    const dmPw = await call('com.atproto.server.createAppPassword', { name: 'connector', privileged: true })
    account.appPassword = dmPw.password // may use direct messages
    account.appPasswordNoDm = plainPw.password // may not
  }
  return account
}
const brand = await makeAccount('brand', { displayName: 'Brand Support', allowIncoming: 'all' })
const customers = []
for (const n of customerNames) customers.push(await makeAccount(n, { displayName: cap(n), allowIncoming: 'all' }))

// ---- front and control ------------------------------------------------------
const front = new Front({
  pdsPort: PORT.pds,
  pdsUrl,
  chat,
  jwtSecret: JWT_SECRET,
  chatMode: CHAT_MODE,
  control: {
    'GET /ready': () => ready,
    'GET /memory': () => process.memoryUsage(),
    // returns when the AppView has indexed all that the PDS has
    'POST /process': async () => {
      if (!bsky.sub.running) return { skipped: 'indexing is stopped' }
      await tries(() => network.processAll(10_000))
      return {}
    },
    // an AppView that lags: nothing new is indexed until started again
    'POST /indexing': async ({ on }) => {
      if (on) {
        await bsky.sub.start()
      } else {
        await bsky.sub.stop()
      }
      return { running: bsky.sub.running }
    },
    'POST /accounts': ({ name, displayName, allowIncoming = 'all' }) =>
      makeAccount(name, { displayName: displayName ?? cap(name), allowIncoming: allowIncoming || null }),
  },
})
await front.listen(PORT.front, PORT.control, HOST)
await tries(() => network.processAll(10_000))

const ready = {
  pds: FRONT_URL, // give this one to the connector
  control: `http://${HOST}:${PORT.control}`,
  realPds: pdsUrl,
  appview: appviewUrl,
  appviewDid: bsky.serverDid,
  plc: `http://${HOST}:${PORT.plc}`,
  chat: `http://${HOST}:${PORT.chat}`,
  chatProxy: `${CHAT_DID}#bsky_chat`,
  chatMode: CHAT_MODE,
  rateLimits: RATE_LIMITS,
  adminPassword: ADMIN_PASSWORD,
  pid: process.pid,
  brand,
  customers,
  timing_ms: { import: T1 - T0, total: Date.now() - T0 },
  rss_mb: Math.round(process.memoryUsage().rss / 1048576),
}

// ---- stopping ---------------------------------------------------------------
let stopping = false
async function stop(code = 0) {
  if (stopping) return
  stopping = true
  const giveUp = setTimeout(() => process.exit(code || 1), 20_000)
  giveUp.unref()
  await front.close()
  chatServer.closeAllConnections()
  chatServer.close()
  try {
    await network.close()
  } catch (e) {
    process.stderr.write(`close: ${e?.message ?? e}\n`)
  }
  try {
    const client = new pg.Client({ connectionString: PG_URL })
    await client.connect()
    for (const p of ['appview_', 'bsync_', 'ozone_']) {
      await client.query(`drop schema if exists "${p}${schema}" cascade`)
    }
    await client.end()
  } catch (e) {
    process.stderr.write(`drop schema: ${e?.message ?? e}\n`)
  }
  fs.rmSync(runDir, { recursive: true, force: true })
  process.exit(code)
}
process.on('SIGTERM', () => stop(0))
process.on('SIGINT', () => stop(0))
process.on('unhandledRejection', (e) => process.stderr.write(`unhandled: ${e?.stack ?? e}\n`))

process.stdout.write(`READY ${JSON.stringify(ready)}\n`)
