/**
 * Grants and mirrors of a home's capsules: who may hold them, who does, and how much of them.
 *
 * Rules NW15-NW21 of docs/spec/network.md.
 *
 * @module
 */
import {
  bytesEqual,
  type CapsuleName,
  decodeAdCert,
  decodeCertChain,
  encodeCertChain,
  formatName,
  isLongshoreError,
  type LongshoreError,
  openManifest,
  type SignedManifest,
  UnavailableError,
  UsageError,
} from '@longshore/capsule'
import type { Source } from '@longshore/engine'
import type { KnownMirror } from './address-book.ts'
import type { ConnectedHome, ConnectedHomeContext } from './connected-home.ts'
import { createGrant, GRANT_S } from './grant.ts'
import type {
  Grant,
  GrantOptions,
  MirrorInfo,
  MirrorStatus,
  PushOptions,
  RemoteOptions,
  StatusReport,
} from './home-network.ts'
import { judgeKnownMirror } from './mirror-standing.ts'
import type { RemoteBranch } from './remote-branch.ts'
import { noAnswer } from './replication.ts'

/** A mirror that is there answers within this time, also from the other side of the world. */
const MEET_TIMEOUT_MS = 5000

export class MirrorDesk {
  readonly #home: ConnectedHome
  readonly #context: ConnectedHomeContext

  constructor(home: ConnectedHome, context: ConnectedHomeContext) {
    this.#home = home
    this.#context = context
  }

  async grant(name: CapsuleName, node: CapsuleName, options: GrantOptions): Promise<Grant> {
    const signed = this.#capsule(name)
    this.#checkNode(node)
    const { rights = ['advertise', 'serve'], notAfterS = this.#nowS() + GRANT_S } = options
    if (notAfterS <= this.#nowS()) {
      throw new UsageError('TIME_INVALID', 'the grant would have ended already', { notAfterS })
    }
    const terms = { capsule: name, node, rights, notAfterS }
    const chain = createGrant(this.#context.ownerOf(signed), terms, this.#context)
    const known = this.#home.book.mirror(name, node)
    await this.#home.book.keepGrant(name, node, encodeCertChain(chain))
    if (known !== undefined) await this.#keep(name, known, { chain: encodeCertChain(chain) })
    return { ...terms, chain }
  }

  async add(name: CapsuleName, node: CapsuleName, options: PushOptions): Promise<MirrorInfo> {
    const signed = this.#capsule(name)
    this.#checkNode(node)
    const { book } = this.#home
    const kept = book.mirror(name, node)?.chain ?? book.grant(name, node)
    const chain =
      kept !== undefined && this.#holds(signed, node, kept)
        ? kept
        : encodeCertChain((await this.grant(name, node, {})).chain)
    const known = book.mirror(name, node)
    await book.keepMirror(name, {
      name: node,
      chain,
      signedManifest: known?.signedManifest,
      memberships: known?.memberships ?? [],
    })
    await this.#meet(signed, node, options)
    const added = this.list(name).find((mirror) => bytesEqual(mirror.name, node))
    return added as MirrorInfo
  }

  list(name: CapsuleName): MirrorInfo[] {
    const signed = this.#capsule(name)
    return this.#home.book.mirrors(name).map((mirror) => this.#describe(signed, mirror))
  }

  /** Mirrors that have been met and whose copies count now, by name. */
  counting(name: CapsuleName): ReadonlyMap<string, KnownMirror> {
    const met = this.#home.book
      .mirrors(name)
      .filter(({ signedManifest }) => signedManifest !== undefined)
    if (met.length === 0) return new Map()
    const signed = this.#capsule(name)
    const counting = met.filter(
      (mirror) => judgeKnownMirror(signed, mirror, this.#nowS()).problem === undefined,
    )
    return new Map(counting.map((mirror) => [formatName(mirror.name), mirror]))
  }

  async status(name: CapsuleName, options: RemoteOptions): Promise<StatusReport> {
    const { book } = this.#home
    const local = this.#context.reader.manifest(name)
    const known = book.mirrors(name)
    const { timeoutMs = MEET_TIMEOUT_MS, signal } = options
    const branch = await this.#home.openBranch(name, { ...options, timeoutMs })
    try {
      const isOver = (mirror: CapsuleName): boolean => branch.isOutOfReach(mirror)
      const problem = await this.#heard(branch, known, signal, isOver)
      const signed = local === undefined ? branch.signed : openManifest(local, name)
      const conviction = this.#context.conviction(name)
      if (signed === undefined) await branch.ready(signal)
      const capsule = signed ?? (branch.signed as SignedManifest)
      const shown = branch.sources.map((source) => shownBy(source).size)
      const size = Math.max(this.#home.localHead(name)?.size ?? 0, ...shown)
      const others = branch.sources.filter(({ peer }) => !isAmong(known, peer.name))
      const mirrors = [
        ...known.map((mirror) => this.#statusOf(capsule, mirror, branch, size)),
        ...others.flatMap((source) => {
          const chain = branch.chainOf(source.peer.name)
          if (chain === undefined) return []
          const { signedManifest } = source.peer
          const mirror = { name: source.peer.name, chain, signedManifest, memberships: [] }
          return [this.#statusOf(capsule, mirror, branch, size)]
        }),
      ]
      const isSilent = branch.sources.every(({ hasAnswered }) => !hasAnswered)
      const report = { name, size, isLocal: local !== undefined, mirrors }
      return { ...report, problem: isSilent ? problem : undefined, conviction }
    } finally {
      branch.close()
    }
  }

  /** Resolves when all have answered that are not given up, or with why they have not in time. */
  async #heard(
    branch: RemoteBranch,
    known: readonly KnownMirror[],
    signal: AbortSignal | undefined,
    isGivenUp: (name: CapsuleName) => boolean = () => false,
  ): Promise<LongshoreError | undefined> {
    const isHeard = (name: CapsuleName): boolean =>
      isGivenUp(name) ||
      branch.sources.some(({ peer, hasAnswered }) => hasAnswered && bytesEqual(peer.name, name))
    try {
      const all = (): boolean => {
        const { sources } = branch
        const isHopeless = known.length > 0 && known.every(({ name }) => isGivenUp(name))
        if (sources.length === 0 && isHopeless) throw branch.whyNot()
        const isOneThere = sources.length > 0
        const haveAnswered = sources.every(({ hasAnswered }) => hasAnswered)
        return isOneThere && haveAnswered && known.every(({ name }) => isHeard(name))
      }
      await branch.until(all, signal, false)
      return undefined
    } catch (error) {
      // Who does not answer is reported as unreachable, and a writer who is convicted as such.
      if (!isLongshoreError(error) || error.code === 'ABORTED') throw error
      return error
    }
  }

  /** Learns who the node is, and has it take the capsule on. */
  async #meet(signed: SignedManifest, node: CapsuleName, options: PushOptions): Promise<void> {
    const { name } = signed
    const { timeoutMs = MEET_TIMEOUT_MS, signal } = options
    const { book } = this.#home
    const known = book.mirror(name, node) as KnownMirror
    const exclusive = { mirrors: [known], isExclusive: true }
    const branch = await this.#home.openBranch(name, { timeoutMs }, exclusive)
    try {
      await this.#heard(branch, [known], signal)
      const [source] = branch.sources
      if (source === undefined) throw noAnswer(node)
      await this.#keep(name, known, {
        signedManifest: source.peer.signedManifest,
        memberships: source.memberships,
      })
    } finally {
      branch.close()
    }
    const head = this.#home.localHead(name)
    const replication = await this.#home.replication()
    replication.publish(name)
    if (head === undefined) return
    const patience = { timeoutMs, signal }
    await replication.heldBy(name, node, head.size, patience)
  }

  #statusOf(
    signed: SignedManifest,
    mirror: KnownMirror,
    branch: RemoteBranch,
    size: number,
  ): MirrorStatus {
    const source = branch.sources.find(({ peer }) => bytesEqual(peer.name, mirror.name))
    const memberships = source?.memberships ?? mirror.memberships
    const info = this.#describe(signed, { ...mirror, memberships })
    const { size: statedSize } = info
    if (source === undefined || !source.hasAnswered) {
      return { ...info, state: 'unreachable', statedSize, lag: size - statedSize }
    }
    if (!source.hasBranch) {
      const state = statedSize > 0 ? 'freed' : 'refused'
      return { ...info, size: 0, state, statedSize, lag: size }
    }
    const { size: held, timeS } = shownBy(source)
    const now = { size: held, timeS: timeS ?? info.timeS, lag: size - held }
    return { ...info, ...now, state: 'answered', statedSize }
  }

  #describe(signed: SignedManifest, mirror: KnownMirror): MirrorInfo {
    const { domains, problem } = judgeKnownMirror(signed, mirror, this.#nowS())
    const receipt = this.#home.book.receipt(signed.name, mirror.name)
    return {
      name: mirror.name,
      domains,
      problem,
      notAfterS: endOf(mirror.chain),
      size: receipt?.head.size ?? 0,
      timeS: receipt?.timeS,
    }
  }

  #holds(signed: SignedManifest, node: CapsuleName, chain: Uint8Array): boolean {
    const mirror = { name: node, chain, signedManifest: undefined, memberships: [] }
    const { problem } = judgeKnownMirror(signed, mirror, this.#nowS())
    return problem === undefined || problem.code === 'POLICY_REFUSED'
  }

  #keep(name: CapsuleName, known: KnownMirror, change: Partial<KnownMirror>): Promise<void> {
    return this.#home.book.keepMirror(name, { ...known, ...change })
  }

  #capsule(name: CapsuleName): SignedManifest {
    this.#context.refresh()
    const signed = this.#context.reader.manifest(name)
    if (signed !== undefined) return openManifest(signed, name)
    const details = { name: formatName(name) }
    throw new UnavailableError('NOT_FOUND', 'this home does not know the capsule', details)
  }

  /** What is known here is not there: a node shows its manifest when it is met. */
  #checkNode(name: CapsuleName): void {
    const signed = this.#context.reader.manifest(name)
    if (signed === undefined) return
    const { type } = openManifest(signed, name).manifest
    if (type === 'node') return
    const details = { node: formatName(name), type }
    throw new UsageError('USAGE', `this is the name of a ${type}, not of a node`, details)
  }

  #nowS(): number {
    return Math.floor(this.#context.nowUs() / 1_000_000)
  }
}

/** What a mirror has shown: proven, or signed by the writer and smaller than what is here. */
function shownBy({ head, claim, cosigned }: Source): {
  readonly size: number
  readonly timeS: number | undefined
} {
  const timeS = cosigned?.statement.timeS ?? claim?.cosignature?.timeS
  return { size: head?.size ?? claim?.head.size ?? 0, timeS }
}

function isAmong(mirrors: readonly KnownMirror[], name: CapsuleName): boolean {
  return mirrors.some((mirror) => bytesEqual(mirror.name, name))
}

function endOf(chain: Uint8Array): number | undefined {
  try {
    return decodeAdCert(decodeCertChain(chain).certs[0] as Uint8Array).notAfterS
  } catch (error) {
    if (isLongshoreError(error)) return undefined
    throw error
  }
}
