/**
 * Live nodes under attack by whoever can reach them: noise on the port, broken handshakes, damaged
 * frames behind a good hello, session packets out of nowhere, and damaged requests inside a real
 * session. The nodes must neither end nor grow, and serve honest people as before.
 *
 * @module
 */
import { connect } from 'node:net'
import { type CapsuleName, parseName, parseTicket, type Ticket } from '@longshore/capsule'
import { openHome } from '@longshore/client/node'
import { createNodePrincipal, type NodePrincipal, type TransportEvent } from '@longshore/engine'
import { parseAddress, TlsTransport } from '@longshore/engine/node'
import { encodeFrame, type Prng } from '@longshore/engine/testing'
import { mutate } from '../../fuzz/mutate.ts'
import { targets } from '../../fuzz/targets.ts'
import { CapsuleHistory } from '../history.ts'
import { HostileTalker } from './hostile-talker.ts'
import { NodeProcess } from './node-process.ts'
import { RunDirectory } from './run-directory.ts'
import { WriterProcess } from './writer-process.ts'

/** Attacks under way at a time. */
const LANES = 8
const ATTACK_MS_MAX = 300
const IDENTITIES = 4
const FRAMES_MAX = 6
const SAMPLE_MS = 250
const TALK_MS_MAX = 30_000
/** What an attacker may add to the memory of a node: its tables of strangers and sessions. */
const GROWTH_BYTES_MAX = 200_000_000
/** In a long run memory is at its height long before the half of it. */
const SECONDS_FOR_HEIGHT = 120
const RISE_BYTES_MAX = 60_000_000
const PARTS = 4

interface Battlefield {
  readonly router: Ticket
  readonly mirror: CapsuleName
  readonly prng: Prng
  readonly identities: readonly NodePrincipal[]
  readonly samples: {
    readonly frames: readonly Uint8Array[]
    readonly packets: readonly Uint8Array[]
  }
}

/** Facts to record. Throws if a node ends, grows or no longer serves. */
export async function attackNodes(prng: Prng, seconds: number): Promise<Record<string, string>> {
  const runDirectory = new RunDirectory()
  const { path: directory } = runDirectory
  const trouble = Promise.withResolvers<never>()
  trouble.promise.catch(() => {})
  const fail = (error: unknown): void => trouble.reject(error)
  const router = new NodeProcess({ id: 'router', role: 'router', directory, fail })
  const mirror = new NodeProcess({ id: 'mirror', role: 'mirror', directory, fail })
  await router.start()
  const link = await router.createLink('everybody', prng.child())
  await mirror.start([link])
  const history = new CapsuleHistory({ copies: 1 })
  const terms = { id: 'writer', directory, history, copies: 1, linesPerS: 1, fail }
  const writer = new WriterProcess(terms)
  try {
    await writer.create([link], [mirror])
    const identities = Array.from({ length: IDENTITIES }, () => {
      return createNodePrincipal(prng.bytes(32), { nonce: prng.bytes(16), timeUs: 0 })
    })
    const field: Battlefield = {
      ...{ router: parseTicket(router.ticket), mirror: parseName(mirror.principal) },
      ...{ prng, identities, samples: collectSamples() },
    }
    const fight = fightFor(field, seconds, [router, mirror], parseName(writer.capsule))
    const facts = await Promise.race([fight, trouble.promise])
    await appendOne(writer)
    await mirror.stop()
    await router.stop()
    return facts
  } finally {
    await mirror.kill()
    await router.kill()
    await link.proxy.close()
    runDirectory.remove()
  }
}

async function fightFor(
  field: Battlefield,
  seconds: number,
  nodes: readonly NodeProcess[],
  capsule: CapsuleName,
): Promise<Record<string, string>> {
  const startMs = performance.now()
  const heights = nodes.map((node) => [node.sampleRss()])
  const sampling = setInterval(() => {
    const part = 1 + Math.floor((PARTS * (performance.now() - startMs)) / (seconds * 1000))
    for (const [i, node] of nodes.entries()) {
      const parts = heights[i] as number[]
      parts[part] = Math.max(parts[part] ?? 0, node.sampleRss())
    }
  }, SAMPLE_MS)
  const endMs = startMs + seconds * 1000
  const { prng, router, mirror } = field
  const talker = new HostileTalker({ prng: prng.child(), router, mirror, capsule })
  const counts: Record<string, number> = {}
  const lane = async (): Promise<void> => {
    // On a busy machine the talker may have to wait for its first session.
    while (performance.now() < endMs + (talker.messages === 0 ? TALK_MS_MAX : 0)) {
      const kind = prng.pick(KINDS)
      counts[kind] = (counts[kind] ?? 0) + 1
      await attacks[kind](field)
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  await talker.close()
  clearInterval(sampling)
  const memory = nodes.map(({ id }, i) => describeGrowth(id, heights[i] as number[], seconds))
  const kinds = Object.entries(counts).map(([kind, count]) => `${count} ${kind}`)
  return {
    attacks: `${kinds.join(', ')}; ${talker.messages} bad requests in ${talker.sessions} sessions, in ${seconds} s`,
    'memory under attack, in quarters of the time': memory.join('; '),
  }
}

/** Before the attack, and the most in each part of it. */
function describeGrowth(id: string, heights: readonly number[], seconds: number): string {
  const [before = 0, _first = 0, second = 0] = heights
  const [growth, rise] = [Math.max(...heights) - before, (heights[PARTS] ?? 0) - second]
  const isRising = seconds >= SECONDS_FOR_HEIGHT && rise > RISE_BYTES_MAX
  const text = `${id} ${heights.map((bytes) => Math.round(bytes / 1e6)).join(', ')} MB`
  if (growth > GROWTH_BYTES_MAX || isRising) throw new Error(`growth under attack: ${text}`)
  return text
}

type Kind = 'noise' | 'hello' | 'frames' | 'packets'
const KINDS: readonly Kind[] = ['noise', 'hello', 'frames', 'packets']

const attacks: Readonly<Record<Kind, (field: Battlefield) => Promise<void>>> = {
  /** Before TLS, or instead of it. */
  noise: ({ router, prng }) => {
    const clientHello = Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3)
    const start = prng.pick([new Uint8Array(0), clientHello])
    return sendTcp(router, Buffer.concat([start, prng.bytes(prng.below(20_000))]))
  },
  hello: (field) => {
    const { prng, samples } = field
    const { node } = prng.pick(field.identities)
    return sendFrames(field, [mutate(hello(node.signed), prng, samples.frames)])
  },
  frames: (field) => {
    const { prng, samples } = field
    const count = prng.between(1, FRAMES_MAX)
    const damaged = Array.from({ length: count }, () => {
      const sample = prng.pick(samples.frames)
      return prng.chance(0.3) ? sample : mutate(sample, prng, samples.frames)
    })
    return sendFrames(field, damaged, true)
  },
  packets: (field) => {
    const { prng, samples, mirror, identities } = field
    const sender = prng.pick(identities)
    const count = prng.between(1, FRAMES_MAX)
    const frames = Array.from({ length: count }, () => {
      const payload = mutate(prng.pick(samples.packets), prng, samples.packets)
      const ends = { destination: mirror, source: sender.node.name }
      return encodeFrame({ type: 'data', fields: { ...ends, flags: 0, hops: 32, payload } })
    })
    return sendFrames(field, frames, true, sender)
  },
}

/** Dials with a good key; `isPolite` says a good hello first. */
function sendFrames(
  { router, prng, identities }: Battlefield,
  frames: readonly Uint8Array[],
  isPolite = false,
  sender = prng.pick(identities),
): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      void transport.close().then(resolve)
    }
    const timer = setTimeout(end, ATTACK_MS_MAX)
    const chunks = isPolite ? [hello(sender.node.signed), ...frames] : frames
    const onEvent = (event: TransportEvent): void => {
      if (event.type === 'connected') {
        transport.apply({ type: 'write', connection: event.connection, chunks })
      } else if (event.type === 'closed' || event.type === 'dial-failed') end()
    }
    const transport = new TlsTransport({ seed: sender.seeds.tls, onEvent })
    const [address = ''] = router.addresses
    transport.apply({ type: 'dial', dial: 1, address, tlsKey: router.tlsKey })
  })
}

function sendTcp({ addresses }: Ticket, bytes: Uint8Array): Promise<void> {
  const { host, port } = parseAddress(addresses[0] as string)
  return new Promise((resolve) => {
    const socket = connect({ host, port }, () => socket.write(bytes))
    const timer = setTimeout(() => socket.destroy(), ATTACK_MS_MAX)
    socket.on('error', () => {})
    socket.on('data', () => {})
    socket.on('close', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}

function hello(signedManifest: Uint8Array): Uint8Array {
  const versions = { versionMin: 1, versionMax: 1, nonce: new Uint8Array(32), signedManifest }
  const fields = { ...versions, isRouter: false, membership: null, addresses: [] }
  return encodeFrame({ type: 'hello', fields })
}

function collectSamples(): Battlefield['samples'] {
  const of = (isMeant: (name: string) => boolean): Uint8Array[] =>
    targets.filter(({ name }) => isMeant(name)).flatMap(({ samples }) => [...samples()])
  const frames = of((name) => name === 'overlay-frame')
  const packets = of((name) => name.startsWith('session'))
  if (frames.length === 0 || packets.length === 0) throw new Error('nothing to damage')
  return { frames, packets }
}

/** An honest writer still gets its entry to the mirror. */
async function appendOne(writer: WriterProcess): Promise<void> {
  await using home = await openHome({ path: writer.home })
  await using capsule = await home.open(writer.capsule)
  await capsule.append('still there')
  const { size } = await home.network.push(capsule.name, { copies: 1 })
  if (size !== 1) throw new Error(`the mirror holds ${size} entries of 1`)
}
