// A stand-in for the closed-source chat service (did:web:api.bsky.chat).
// Every request and every answer is validated against the chat.bsky lexicons
// that @atproto/api ships. State is in memory. What the lexicons do not say
// (ordering, revs, who may write to whom) follows what public clients rely on.
import { lexicons } from '@atproto/api'
import { TID } from '@atproto/common-web'

export const CHAT_DID = 'did:web:api.bsky.chat'
export const CHAT_PROXY = `${CHAT_DID}#bsky_chat`
const D = 'chat.bsky.convo.defs#'
const S32 = '234567abcdefghijklmnopqrstuvwxyz'
const LOG_PAGE = 100

export class ChatError extends Error {
  constructor(status, error, message, headers) {
    super(message ?? error)
    this.status = status
    this.error = error
    this.headers = headers
  }
}
const bad = (error, message) => new ChatError(400, error, message)

// revs are opaque, fixed width and sort as strings, as in the real service
const revOf = (n) => {
  let s = ''
  do {
    s = S32[n % 32] + s
    n = Math.floor(n / 32)
  } while (n > 0)
  return s.padStart(13, '2')
}

export class ChatService {
  constructor({ pdsUrl, appviewUrl }) {
    this.pdsUrl = pdsUrl
    this.appviewUrl = appviewUrl
    this.reset()
  }

  reset() {
    this.counter = 1
    this.convos = new Map() // id -> convo
    this.byMembers = new Map() // sorted dids -> id
    this.events = [] // {rev, n, to: did, view(): object}
    this.profiles = new Map()
  }

  nextRev() {
    return revOf(++this.counter)
  }

  // ---- entry point -------------------------------------------------------
  async handle({ nsid, method, query, body, contentType, did }) {
    const def = lexicons.getDef(nsid)
    const fn = this.methods[nsid]
    if (!def || !fn) throw new ChatError(501, 'MethodNotImplemented', 'Method Not Implemented')
    const want = def.type === 'query' ? 'GET' : 'POST'
    if (method !== want) {
      throw bad('InvalidRequest', `Incorrect HTTP method (${method}) expected ${want}`)
    }
    let params = decodeParams(def, query)
    try {
      params = lexicons.assertValidXrpcParams(nsid, params) ?? {}
    } catch (e) {
      throw bad('InvalidRequest', String(e))
    }
    let input
    if (def.type === 'procedure' && def.input) {
      if (!body || !body.length) {
        throw bad('InvalidRequest', 'A request body is expected but none was provided')
      }
      if (!/^application\/json\b/.test(contentType ?? '')) {
        throw bad('InvalidRequest', `Wrong request encoding (Content-Type): ${contentType}`)
      }
      try {
        input = JSON.parse(body.toString('utf8'))
      } catch (e) {
        throw bad('InvalidRequest', 'request body is not valid JSON')
      }
      try {
        input = lexicons.assertValidXrpcInput(nsid, input)
      } catch (e) {
        throw bad('InvalidRequest', e instanceof Error ? e.message : String(e))
      }
    }
    const out = await fn.call(this, { did, params, input })
    // what leaves must be valid: a failure here is a bug of this file
    lexicons.assertValidXrpcOutput(nsid, out)
    return out
  }

  // ---- helpers -----------------------------------------------------------
  async json(url) {
    const r = await fetch(url)
    if (!r.ok) return null
    return r.json()
  }

  async profile(did) {
    const hit = this.profiles.get(did)
    if (hit && Date.now() - hit.at < 2000) return hit.view
    const r = await this.json(
      `${this.appviewUrl}/xrpc/app.bsky.actor.getProfiles?actors=${encodeURIComponent(did)}`,
    )
    const p = r?.profiles?.[0]
    let view
    if (p) {
      view = { did: p.did, handle: p.handle }
      for (const k of ['displayName', 'avatar', 'createdAt']) if (p[k]) view[k] = p[k]
      view.labels = []
    } else {
      const d = await this.json(
        `${this.pdsUrl}/xrpc/com.atproto.repo.describeRepo?repo=${encodeURIComponent(did)}`,
      )
      if (!d) return null
      view = { did, handle: d.handle, labels: [] }
    }
    this.profiles.set(did, { at: Date.now(), view })
    return view
  }

  async member(did) {
    const p = (await this.profile(did)) ?? { did, handle: 'handle.invalid' }
    return { ...p, kind: { $type: 'chat.bsky.actor.defs#directConvoMember' } }
  }

  // The recipient's chat declaration decides; no record means "following".
  async refusal(sender, recipient) {
    const rec = await this.json(
      `${this.pdsUrl}/xrpc/com.atproto.repo.getRecord?repo=${encodeURIComponent(recipient)}` +
        '&collection=chat.bsky.actor.declaration&rkey=self',
    )
    const allow = rec?.value?.allowIncoming ?? 'following'
    const rel = await this.json(
      `${this.appviewUrl}/xrpc/app.bsky.graph.getRelationships?actor=${encodeURIComponent(recipient)}` +
        `&others=${encodeURIComponent(sender)}`,
    )
    const r = rel?.relationships?.[0] ?? {}
    if (r.blocking || r.blockedBy) return ['BlockedActor', 'block between recipient and sender', r]
    if (allow === 'none') return ['MessagesDisabled', 'recipient has disabled incoming messages', r]
    if (allow !== 'all' && !r.following) {
      return [
        'NotFollowedBySender',
        'recipient requires incoming messages to come from someone they follow',
        r,
      ]
    }
    return [null, null, r]
  }

  convoFor(did, id) {
    const c = this.convos.get(id)
    if (!c || !c.members.has(did)) throw bad('InvalidConvo', 'Convo not found')
    return c
  }

  visible(c, did) {
    const m = c.members.get(did)
    return c.messages.filter((x) => x.n > m.hiddenBefore)
  }

  messageView(c, m, did, { inUnion = false, reply = true } = {}) {
    const base = { id: m.id, rev: m.rev, sender: { did: m.sender }, sentAt: m.sentAt }
    if (m.deletedFor.has(did)) {
      return inUnion ? { $type: D + 'deletedMessageView', ...base } : base
    }
    const v = { ...(inUnion ? { $type: D + 'messageView' } : {}), ...base, text: m.text }
    if (m.facets) v.facets = m.facets
    if (m.embedView) v.embed = m.embedView
    if (m.reactions.length) {
      v.reactions = m.reactions.map((r) => ({
        value: r.value,
        sender: { did: r.did },
        createdAt: r.at,
      }))
    }
    if (reply && m.replyTo) {
      const parent = c.messages.find((x) => x.id === m.replyTo)
      if (parent) v.replyTo = this.messageView(c, parent, did, { inUnion: true, reply: false })
    }
    return v
  }

  async convoView(c, did) {
    const me = c.members.get(did)
    const msgs = this.visible(c, did)
    const last = msgs.at(-1)
    const v = {
      id: c.id,
      rev: c.rev,
      members: await Promise.all([...c.members.keys()].map((d) => this.member(d))),
      muted: me.muted,
      status: me.status,
      unreadCount: msgs.filter((m) => m.sender !== did && m.n > me.readN && !m.deletedFor.has(did))
        .length,
      kind: { $type: D + 'directConvo' },
    }
    if (last) v.lastMessage = this.messageView(c, last, did, { inUnion: true })
    return v
  }

  emit(to, rev, view) {
    this.events.push({ to, rev, view })
  }

  async related(c, msgs) {
    const dids = new Set()
    for (const m of msgs) {
      dids.add(m.sender)
      for (const r of m.reactions) dids.add(r.did)
    }
    return (await Promise.all([...dids].map((d) => this.profile(d)))).filter(Boolean)
  }

  async embedView(embed) {
    if (!embed) return undefined
    if (embed.$type !== 'app.bsky.embed.record') {
      throw bad('InvalidRequest', 'this stand-in embeds records only')
    }
    const { uri, cid } = embed.record
    const r = await this.json(
      `${this.appviewUrl}/xrpc/app.bsky.feed.getPosts?uris=${encodeURIComponent(uri)}`,
    )
    const p = r?.posts?.[0]
    const record = p
      ? {
          $type: 'app.bsky.embed.record#viewRecord',
          uri: p.uri,
          cid: p.cid ?? cid,
          author: p.author,
          value: p.record,
          indexedAt: p.indexedAt,
        }
      : { $type: 'app.bsky.embed.record#viewNotFound', uri, notFound: true }
    return { $type: 'app.bsky.embed.record#view', record }
  }

  findOrNull(members) {
    const id = this.byMembers.get([...members].sort().join(' '))
    return id ? this.convos.get(id) : null
  }

  pair(did, members) {
    const set = new Set([did, ...members])
    if (set.size !== 2) {
      throw bad('InvalidRequest', 'this stand-in has 1-1 conversations only: give one other member')
    }
    return [...set]
  }

  async prepare(did, { convoId, message }) {
    const c = this.convoFor(did, convoId)
    const other = [...c.members.keys()].find((d) => d !== did)
    // an ongoing conversation may go on whatever the setting
    if (c.members.get(other).status !== 'accepted' || !c.messages.length) {
      const [, why] = await this.refusal(did, other)
      if (why) throw bad('InvalidRequest', why)
    }
    if (message.replyTo && !c.messages.some((m) => m.id === message.replyTo.messageId)) {
      throw bad('ReplyTargetNotFound', 'Reply target not found')
    }
    return { c, other, message, embedView: await this.embedView(message.embed) }
  }

  commit(did, { c, other, message, embedView }) {
    const me = c.members.get(did)
    const them = c.members.get(other)
    const first = c.messages.length === 0
    if (me.status === 'request') {
      me.status = 'accepted'
      const rev = this.nextRev()
      this.emit(did, rev, () => ({ $type: D + 'logAcceptConvo', rev, convoId: c.id }))
    }
    if (first || them.left) {
      if (them.left) them.status = 'request'
      const rev = this.nextRev()
      this.emit(other, rev, () => ({ $type: D + 'logBeginConvo', rev, convoId: c.id }))
    }
    me.left = them.left = false
    const rev = this.nextRev()
    const m = {
      id: TID.nextStr(),
      rev,
      n: this.counter,
      text: message.text,
      facets: message.facets,
      embedView,
      replyTo: message.replyTo?.messageId,
      sender: did,
      sentAt: new Date().toISOString(),
      reactions: [],
      deletedFor: new Set(),
    }
    c.messages.push(m)
    c.rev = rev
    me.readN = m.n
    for (const to of c.members.keys()) {
      this.emit(to, rev, async () => ({
        $type: D + 'logCreateMessage',
        rev,
        convoId: c.id,
        message: this.messageView(c, m, to, { inUnion: true }),
        relatedProfiles: await this.related(c, [m]),
      }))
    }
    return this.messageView(c, m, did)
  }

  react(add) {
    return async function ({ did, input }) {
      const c = this.convoFor(did, input.convoId)
      const m = c.messages.find((x) => x.id === input.messageId)
      if (!m) throw bad('InvalidRequest', 'Message not found')
      if (m.deletedFor.has(did)) throw bad('ReactionMessageDeleted', 'Message deleted')
      if (!/\p{Extended_Pictographic}|\p{Regional_Indicator}|\u20e3/u.test(input.value)) {
        throw bad('ReactionInvalidValue', 'Reaction is not an emoji')
      }
      const i = m.reactions.findIndex((r) => r.did === did && r.value === input.value)
      if (add ? i < 0 : i >= 0) {
        const rev = this.nextRev()
        let reaction
        if (add) {
          if (m.reactions.filter((r) => r.did === did).length >= 5) {
            throw bad('ReactionLimitReached', 'Reaction limit reached')
          }
          reaction = { value: input.value, did, at: new Date().toISOString() }
          m.reactions.push(reaction)
        } else {
          ;[reaction] = m.reactions.splice(i, 1)
        }
        c.rev = rev
        for (const to of c.members.keys()) {
          this.emit(to, rev, async () => ({
            $type: D + (add ? 'logAddReaction' : 'logRemoveReaction'),
            rev,
            convoId: c.id,
            message: this.messageView(c, m, to, { inUnion: true }),
            reaction: { value: reaction.value, sender: { did }, createdAt: reaction.at },
            relatedProfiles: await this.related(c, [m]),
          }))
        }
      }
      return { message: this.messageView(c, m, did) }
    }
  }

  list(did, { limit, cursor, readState, status, kind }) {
    let all = [...this.convos.values()].filter((c) => {
      const me = c.members.get(did)
      return me && !me.left && this.visible(c, did).length > 0
    })
    if (kind) all = all.filter(() => kind === 'direct')
    if (status) all = all.filter((c) => c.members.get(did).status === status)
    if (readState === 'unread') {
      all = all.filter((c) => {
        const me = c.members.get(did)
        return this.visible(c, did).some((m) => m.sender !== did && m.n > me.readN)
      })
    }
    all.sort((a, b) => (a.rev < b.rev ? 1 : -1)) // most recent activity first
    if (cursor) all = all.filter((c) => c.rev < cursor)
    const page = all.slice(0, limit)
    return { page, cursor: all.length > limit ? page.at(-1).rev : undefined }
  }

  mute(on) {
    return async function ({ did, input }) {
      const c = this.convoFor(did, input.convoId)
      const me = c.members.get(did)
      if (me.muted !== on) {
        me.muted = on
        const rev = this.nextRev()
        this.emit(did, rev, () => ({
          $type: D + (on ? 'logMuteConvo' : 'logUnmuteConvo'),
          rev,
          convoId: c.id,
        }))
      }
      return { convo: await this.convoView(c, did) }
    }
  }

  read(c, did, upTo) {
    const me = c.members.get(did)
    const msgs = this.visible(c, did)
    const m = upTo ? msgs.find((x) => x.id === upTo) : msgs.at(-1)
    if (upTo && !m) throw bad('InvalidRequest', 'Message not found')
    if (m && m.n > me.readN) {
      me.readN = m.n
      const rev = this.nextRev()
      for (const t of ['logReadMessage', 'logReadConvo']) {
        this.emit(did, rev, () => ({
          $type: D + t,
          rev,
          convoId: c.id,
          message: this.messageView(c, m, did, { inUnion: true }),
        }))
      }
      return true
    }
    return false
  }

  // ---- methods -----------------------------------------------------------
  methods = {
    'chat.bsky.convo.listConvos': async ({ did, params }) => {
      const { page, cursor } = this.list(did, params)
      return clean({ cursor, convos: await Promise.all(page.map((c) => this.convoView(c, did))) })
    },
    'chat.bsky.convo.getConvo': async ({ did, params }) => ({
      convo: await this.convoView(this.convoFor(did, params.convoId), did),
    }),
    'chat.bsky.convo.getConvoMembers': async ({ did, params }) => {
      const c = this.convoFor(did, params.convoId)
      return { members: await Promise.all([...c.members.keys()].map((d) => this.member(d))) }
    },
    'chat.bsky.convo.getConvoForMembers': async ({ did, params }) => {
      const pair = this.pair(did, params.members)
      const other = pair.find((d) => d !== did)
      let c = this.findOrNull(pair)
      if (!c || !c.messages.length) {
        if (!(await this.profile(other))) throw bad('RecipientNotFound', 'recipient does not exist')
        const [error, why, rel] = await this.refusal(did, other)
        if (error) throw bad(error, why)
        c = this.findOrNull(pair) // somebody else may have made it meanwhile
        if (!c) {
          const fresh = (status) => ({ status, muted: false, left: false, readN: 0, hiddenBefore: 0 })
          const rev = this.nextRev()
          c = {
            id: TID.nextStr(),
            rev,
            members: new Map([
              [did, fresh('accepted')],
              [other, fresh(rel.following ? 'accepted' : 'request')],
            ]),
            messages: [],
          }
          this.convos.set(c.id, c)
          this.byMembers.set([...pair].sort().join(' '), c.id)
          const id = c.id
          this.emit(did, rev, () => ({ $type: D + 'logBeginConvo', rev, convoId: id }))
        }
      }
      return { convo: await this.convoView(c, did) }
    },
    'chat.bsky.convo.getConvoAvailability': async ({ did, params }) => {
      const pair = this.pair(did, params.members)
      const other = pair.find((d) => d !== did)
      const c = this.findOrNull(pair)
      if (c && c.messages.length) return { canChat: true, convo: await this.convoView(c, did) }
      const [error] = await this.refusal(did, other)
      return clean({ canChat: !error, convo: c ? await this.convoView(c, did) : undefined })
    },
    'chat.bsky.convo.getMessages': async ({ did, params }) => {
      const c = this.convoFor(did, params.convoId)
      let msgs = this.visible(c, did).slice().reverse() // newest first
      if (params.cursor) msgs = msgs.filter((m) => m.rev < params.cursor)
      const page = msgs.slice(0, params.limit)
      return clean({
        cursor: msgs.length > params.limit ? page.at(-1).rev : undefined,
        messages: page.map((m) => this.messageView(c, m, did, { inUnion: true })),
        relatedProfiles: await this.related(c, page),
      })
    },
    'chat.bsky.convo.sendMessage': async ({ did, input }) =>
      this.commit(did, await this.prepare(did, input)),
    'chat.bsky.convo.sendMessageBatch': async ({ did, input }) => {
      const ready = []
      for (const it of input.items) ready.push(await this.prepare(did, it))
      return { items: ready.map((r) => this.commit(did, r)) }
    },
    // No cursor means "from now": no logs, and the cursor to go on from.
    'chat.bsky.convo.getLog': async ({ did, params }) => {
      if (!params.cursor) return { cursor: revOf(this.counter), logs: [] }
      const mine = this.events.filter((e) => e.to === did && e.rev > params.cursor)
      let page = mine.slice(0, LOG_PAGE)
      // never cut between two events of one rev
      while (page.length < mine.length && mine[page.length].rev === page.at(-1)?.rev) {
        page = mine.slice(0, page.length + 1)
      }
      return {
        cursor: page.at(-1)?.rev ?? params.cursor,
        logs: await Promise.all(page.map((e) => e.view())),
      }
    },
    'chat.bsky.convo.acceptConvo': async ({ did, input }) => {
      const c = this.convoFor(did, input.convoId)
      const me = c.members.get(did)
      if (me.status === 'accepted') return {}
      me.status = 'accepted'
      const rev = this.nextRev()
      this.emit(did, rev, () => ({ $type: D + 'logAcceptConvo', rev, convoId: c.id }))
      return { rev }
    },
    'chat.bsky.convo.updateRead': async ({ did, input }) => {
      const c = this.convoFor(did, input.convoId)
      this.read(c, did, input.messageId)
      return { convo: await this.convoView(c, did) }
    },
    'chat.bsky.convo.updateAllRead': async ({ did, input }) => {
      let updatedCount = 0
      for (const c of this.convos.values()) {
        const me = c.members.get(did)
        if (!me || (input?.status && me.status !== input.status)) continue
        if (this.read(c, did)) updatedCount++
      }
      return { updatedCount }
    },
    'chat.bsky.convo.leaveConvo': async ({ did, input }) => {
      const c = this.convoFor(did, input.convoId)
      const me = c.members.get(did)
      const rev = this.nextRev()
      me.left = true
      me.hiddenBefore = this.counter
      this.emit(did, rev, () => ({ $type: D + 'logLeaveConvo', rev, convoId: c.id }))
      return { convoId: c.id, rev }
    },
    'chat.bsky.convo.muteConvo': this.mute(true).bind(this),
    'chat.bsky.convo.unmuteConvo': this.mute(false).bind(this),
    'chat.bsky.convo.deleteMessageForSelf': async ({ did, input }) => {
      const c = this.convoFor(did, input.convoId)
      const m = c.messages.find((x) => x.id === input.messageId)
      if (!m) throw bad('InvalidRequest', 'Message not found')
      if (!m.deletedFor.has(did)) {
        m.deletedFor.add(did)
        const rev = this.nextRev()
        this.emit(did, rev, () => ({
          $type: D + 'logDeleteMessage',
          rev,
          convoId: c.id,
          message: this.messageView(c, m, did, { inUnion: true }),
        }))
      }
      return this.messageView(c, m, did)
    },
    'chat.bsky.convo.addReaction': this.react(true).bind(this),
    'chat.bsky.convo.removeReaction': this.react(false).bind(this),
  }
}

function clean(o) {
  for (const k of Object.keys(o)) if (o[k] === undefined) delete o[k]
  return o
}

function decodeParams(def, query) {
  const out = {}
  const props = def.parameters?.properties ?? {}
  for (const [k, p] of Object.entries(props)) {
    const all = query.getAll(k)
    if (p.type === 'array') {
      if (all.length) out[k] = all.map((v) => decode(p.items.type, v))
    } else if (all.length) {
      out[k] = decode(p.type, all[0])
    } else if (p.default !== undefined) {
      out[k] = p.default
    }
  }
  return out
}
function decode(type, v) {
  if (type === 'integer') return /^-?\d+$/.test(v) ? Number(v) : v
  if (type === 'boolean') return v === 'true' ? true : v === 'false' ? false : v
  return v
}
