/**
 * Trees along which a mirror publishes a public capsule: each node subscribes once at the next
 * node on its best route, and hands one copy to each link that subscribed here.
 *
 * Subscriptions are leases. A publication counts only if it comes from where this node subscribed,
 * and names a mirror with a verified route there and the right to serve. What a slow link made a
 * queue drop is announced as a gap, behind what was sent before. Rules OV40 to OV47 of
 * docs/spec/overlay.md.
 *
 * @module
 */
import {
  bytesEqual,
  type CapsuleName,
  isLongshoreError,
  openManifest,
  ProtocolError,
} from '@longshore/capsule'
import { nameKey } from '../store/branch-key.ts'
import { encodeControl, type Fields, namesValue, readNames } from './control-frame.ts'
import { verifyRight } from './evidence.ts'
import {
  AT_HOPS,
  AT_PUBLISHER,
  AT_TARGET,
  AT_TYPE,
  DATA_HEAD_BYTES,
  FLAG_BULK,
  GAP,
  nameAt,
  PUBLISHED,
  publishedHead,
  SUBSCRIBE,
  UNSUBSCRIBE,
} from './frame.ts'
import type { Link } from './link.ts'
import type { Lookups } from './lookups.ts'
import type { Machine } from './machine.ts'
import { carryRefusal } from './policy.ts'
import { readEvidence, readRoutePolicy } from './route-evidence.ts'
import type { Route, RouteTable } from './route-table.ts'
import type { Timer } from './timers.ts'

/** A larger publication must not hold up small ones. */
const URGENT_BYTES_MAX = 16_384

/** One link that subscribed here. */
interface Subscriber {
  untilUs: number
  /** Of the publication that is being sent. */
  wasDropped: boolean
  /** The last thing it was sent is that something is missing. */
  isTold: boolean
}

interface Topic {
  readonly name: CapsuleName
  readonly key: string
  isLocal: boolean
  readonly subscribers: Map<Link, Subscriber>
  /** Where this node subscribed. */
  upstream: Link | undefined
  isAsking: boolean
  timer: Timer | undefined
  /** Routes whose server was found to have the right to serve. */
  readonly servers: WeakSet<Route>
}

export class Multicast {
  readonly #machine: Machine
  readonly #table: RouteTable
  readonly #lookups: Lookups
  readonly #topics = new Map<string, Topic>()
  readonly #countByLink = new Map<Link, number>()
  readonly #changed = new Set<string>()

  constructor(machine: Machine, table: RouteTable, lookups: Lookups) {
    this.#machine = machine
    this.#table = table
    this.#lookups = lookups
  }

  subscribe(name: CapsuleName): void {
    const topic = this.#open(name)
    topic.isLocal = true
    this.#evaluate(topic)
  }

  unsubscribe(name: CapsuleName): void {
    const topic = this.#topics.get(nameKey(name))
    if (topic === undefined) return
    topic.isLocal = false
    this.#closeIfIdle(topic)
  }

  /** A topic is kept only as long as somebody has subscribed. */
  hasSubscribers(name: CapsuleName): boolean {
    return this.#topics.has(nameKey(name))
  }

  publish(name: CapsuleName, payload: Uint8Array): void {
    const topic = this.#topics.get(nameKey(name))
    const own = topic === undefined ? undefined : this.#own(topic.key)
    if (topic === undefined || own === undefined || !this.#isAllowed(topic, own)) return
    const flags = payload.length > URGENT_BYTES_MAX ? FLAG_BULK : 0
    const { name: publisher, limits } = this.#machine
    for (const link of this.#live(topic)) {
      const head = publishedHead(name, publisher, flags, limits.hopsMax, payload.length)
      this.#sendTo(topic, link, () => link.sendParts(head, payload))
    }
    if (topic.isLocal) this.#machine.emit({ type: 'published', name, publisher, payload })
  }

  subscribed(link: Link, fields: Fields): void {
    const { limits, nowUs, isRouter } = this.#machine
    for (const name of readNames(fields)) {
      const key = nameKey(name)
      if (!isRouter && this.#own(key) === undefined) continue
      const known = this.#topics.get(key)?.subscribers.get(link)
      const untilUs = nowUs + limits.subscriptionUs
      if (known !== undefined) {
        known.untilUs = untilUs
        continue
      }
      const count = this.#countByLink.get(link) ?? 0
      if (count >= limits.subscriptionsPerLinkMax) {
        throw new ProtocolError('PROTOCOL_ERROR', 'more subscriptions than are allowed', { count })
      }
      this.#countByLink.set(link, count + 1)
      const topic = this.#open(name)
      topic.subscribers.set(link, { untilUs, wasDropped: false, isTold: false })
      this.#evaluate(topic)
    }
  }

  unsubscribed(link: Link, fields: Fields): void {
    for (const name of readNames(fields)) {
      const topic = this.#topics.get(nameKey(name))
      if (topic !== undefined) this.#removeSubscriber(topic, link)
    }
  }

  published(link: Link, bytes: Uint8Array, start: number, end: number): void {
    const name = nameAt(bytes, start + AT_TARGET)
    const publisher = nameAt(bytes, start + AT_PUBLISHER)
    const topic = this.#topics.get(nameKey(name))
    if (topic === undefined || topic.upstream !== link || !this.#maySpeak(topic, publisher)) {
      this.#machine.counters.refusedPublications++
      return
    }
    // It goes to several, and stays with those who are here.
    this.#machine.spares.disown(bytes)
    const hops = bytes[start + AT_HOPS] as number
    if (hops > 1) {
      bytes[start + AT_HOPS] = hops - 1
      for (const subscriber of this.#live(topic)) {
        this.#sendTo(topic, subscriber, () => subscriber.sendWithin(bytes, start, end))
      }
    }
    if (!topic.isLocal) return
    const payload = bytes.subarray(start + DATA_HEAD_BYTES, end)
    this.#machine.emit({ type: 'published', name, publisher, payload })
  }

  gap(link: Link, fields: Fields): void {
    for (const name of readNames(fields)) {
      const topic = this.#topics.get(nameKey(name))
      if (topic?.upstream === link) this.#announceGap(topic)
    }
  }

  /** A full queue dropped something on its way to a subscriber. */
  dropped(link: Link, frame: Uint8Array): void {
    if (frame[AT_TYPE] !== PUBLISHED) return
    const topic = this.#topics.get(nameKey(nameAt(frame, AT_TARGET)))
    const subscriber = topic?.subscribers.get(link)
    if (topic === undefined || subscriber === undefined) return
    subscriber.wasDropped = true
    this.#tellGap(topic, link, subscriber)
  }

  /** Routes to this name have changed. */
  changed(key: string): void {
    if (this.#topics.has(key)) this.#changed.add(key)
  }

  /** There is somebody new to subscribe at, or to ask. */
  up(): void {
    for (const { key, upstream } of this.#topics.values()) {
      if (upstream === undefined) this.#changed.add(key)
    }
  }

  down(link: Link): void {
    this.#countByLink.delete(link)
    for (const topic of [...this.#topics.values()]) {
      if (topic.upstream === link) {
        topic.upstream = undefined
        this.#announceGap(topic)
        this.#changed.add(topic.key)
      }
      if (topic.subscribers.delete(link)) this.#closeIfIdle(topic)
    }
  }

  /** Looks again at what has changed in this step. */
  flush(): void {
    if (this.#changed.size === 0) return
    const keys = [...this.#changed]
    this.#changed.clear()
    for (const key of keys) {
      const topic = this.#topics.get(key)
      if (topic !== undefined) this.#evaluate(topic)
    }
  }

  #own(key: string): Route | undefined {
    return this.#table.routes(key)?.find(({ origin }) => origin === 'own')
  }

  #open(name: CapsuleName): Topic {
    const key = nameKey(name)
    const known = this.#topics.get(key)
    if (known !== undefined) return known
    const topic: Topic = {
      ...{ name, key, isLocal: false, subscribers: new Map(), upstream: undefined },
      ...{ isAsking: false, timer: undefined, servers: new WeakSet<Route>() },
    }
    this.#topics.set(key, topic)
    return topic
  }

  /** Links whose lease holds; the others are forgotten. */
  #live(topic: Topic): Link[] {
    const { nowUs } = this.#machine
    for (const [link, { untilUs }] of topic.subscribers) {
      if (untilUs < nowUs) this.#forget(topic, link)
    }
    return [...topic.subscribers.keys()]
  }

  #forget(topic: Topic, link: Link): void {
    if (!topic.subscribers.delete(link)) return
    const count = (this.#countByLink.get(link) ?? 1) - 1
    if (count === 0) this.#countByLink.delete(link)
    else this.#countByLink.set(link, count)
  }

  #removeSubscriber(topic: Topic, link: Link): void {
    this.#forget(topic, link)
    this.#closeIfIdle(topic)
  }

  #closeIfIdle(topic: Topic): void {
    if (topic.isLocal || topic.subscribers.size > 0) return
    this.#topics.delete(topic.key)
    this.#machine.timers.cancel(topic.timer)
    topic.upstream?.send(encodeControl(UNSUBSCRIBE, namesValue([topic.name])))
  }

  /** Subscribes where the best route is now, and again before the lease ends. */
  #evaluate(topic: Topic): void {
    const { timers, nowUs, limits } = this.#machine
    timers.cancel(topic.timer)
    if (this.#topics.get(topic.key) !== topic || this.#own(topic.key) !== undefined) return
    const route = this.#route(topic)
    if (route === undefined || !this.#isAllowed(topic, route)) this.#moveTo(topic, undefined)
    else this.#moveTo(topic, route.link)
    const isUp = topic.upstream !== undefined
    topic.timer = timers.schedule(
      nowUs + (isUp ? limits.subscriptionUs / 3 : limits.lookupUs),
      () => this.#refresh(topic),
    )
    if (route === undefined) this.#ask(topic)
  }

  #refresh(topic: Topic): void {
    this.#live(topic)
    this.#closeIfIdle(topic)
    if (this.#topics.get(topic.key) !== topic) return
    topic.upstream?.send(encodeControl(SUBSCRIBE, namesValue([topic.name])))
    // A learned route is asked for again before it is too old to accept publications by.
    if (this.#route(topic)?.origin === 'learned') this.#ask(topic)
    this.#evaluate(topic)
  }

  #ask(topic: Topic): void {
    if (topic.isAsking) return
    topic.isAsking = true
    const options = {
      ...{ except: undefined, hopsLeft: this.#machine.limits.lookupHopsMax, wantsAll: false },
    }
    this.#lookups.ask(topic.name, options, (code) => {
      topic.isAsking = false
      if (code === undefined) this.#changed.add(topic.key)
    })
  }

  /** The best route that does not lead to one who subscribed here. */
  #route(topic: Topic): Route | undefined {
    const { nowS } = this.#machine
    const best = this.#table.best(topic.key, nowS)
    if (best?.link === undefined || !topic.subscribers.has(best.link)) return best
    return this.#table.best(topic.key, nowS, best.link)
  }

  /** Only public capsules are published, and to no router that their policy excludes. */
  #isAllowed(topic: Topic, route: Route): boolean {
    const policy = readRoutePolicy(this.#machine, route)
    if (!policy.isPublic) return false
    for (const link of [...topic.subscribers.keys()]) {
      if (!link.up.isRouter || carryRefusal(policy, link.domain) === undefined) continue
      this.#forget(topic, link)
    }
    return true
  }

  #moveTo(topic: Topic, link: Link | undefined): void {
    if (topic.upstream === link) return
    const before = topic.upstream
    topic.upstream = link
    before?.send(encodeControl(UNSUBSCRIBE, namesValue([topic.name])))
    link?.send(encodeControl(SUBSCRIBE, namesValue([topic.name])))
    // What was published between the two ways is lost.
    if (before !== undefined) this.#announceGap(topic)
  }

  #maySpeak(topic: Topic, publisher: CapsuleName): boolean {
    const route = this.#table.routes(topic.key)?.find(({ link, carriage }) => {
      return link === topic.upstream && bytesEqual(carriage.server, publisher)
    })
    if (route === undefined) return false
    const { nowS } = this.#machine
    if (route.expiresS < nowS) return false
    if (topic.servers.has(route)) return true
    const evidence = readEvidence(this.#machine, route)
    if (evidence === undefined) return false
    try {
      verifyRight(evidence.carriage, openManifest(evidence.signedManifest), 'serve', nowS)
    } catch (error) {
      if (!isLongshoreError(error)) throw error
      return false
    }
    topic.servers.add(route)
    return true
  }

  #sendTo(topic: Topic, link: Link, send: () => void): void {
    const subscriber = topic.subscribers.get(link)
    if (subscriber === undefined) return
    subscriber.wasDropped = false
    send()
    if (!subscriber.wasDropped) subscriber.isTold = false
  }

  #announceGap(topic: Topic): void {
    if (topic.isLocal) this.#machine.emit({ type: 'gap', name: topic.name })
    for (const [link, subscriber] of topic.subscribers) this.#tellGap(topic, link, subscriber)
  }

  /** Once, until something else is sent: several gaps in a row are one. */
  #tellGap(topic: Topic, link: Link, subscriber: Subscriber): void {
    if (subscriber.isTold) return
    subscriber.isTold = true
    link.send(encodeControl(GAP, namesValue([topic.name])))
  }
}
