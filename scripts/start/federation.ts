/**
 * The nodes of the federation as processes of this machine: start, admit, watch, break.
 *
 * Everything is in one directory, which a later start finds again:
 *
 *     domains/LABEL/   homes with the domains' keys        writer/  follower/  homes
 *     LABEL/           data directory of a node            LABEL.log           what it said
 *
 * @module
 */
import fs from 'node:fs'
import { join } from 'node:path'
import { formatTicket, parseName, parseTicket } from '@longshore/capsule'
import type { NodeStatus } from '@longshore/node'
import { Domains } from './domains.ts'
import { NodeProcess } from './node-process.ts'
import { NODES, type NodePlan, WIRE } from './plan.ts'
import { Wire } from './wire.ts'

const POLL_MS = 400
/** Time left of a membership below which it is renewed. */
const RENEWAL_S = 30 * 86_400

export interface FederationNode {
  readonly plan: NodePlan
  readonly process: NodeProcess
  /** As it answered last; undefined while it does not. */
  status: NodeStatus | undefined
}

export class Federation {
  readonly #directory: string
  readonly #domains: Domains
  readonly #nodes = new Map<string, FederationNode>()
  #wire: Wire | undefined
  #poll: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(directory: string) {
    this.#directory = directory
    this.#domains = new Domains(join(directory, 'domains'))
  }

  get nodes(): readonly FederationNode[] {
    return [...this.#nodes.values()]
  }

  get mirrors(): readonly FederationNode[] {
    return this.nodes.filter(({ plan }) => plan.role === 'mirror')
  }

  get domainNames(): readonly string[] {
    return this.#domains.names
  }

  get isCut(): boolean {
    return this.#wire?.isCut ?? false
  }

  node(label: string): FederationNode {
    const node = this.#nodes.get(label)
    if (node === undefined) throw new Error(`there is no node ${label}`)
    return node
  }

  ticket(label: string): string {
    const { ready } = this.node(label).process
    if (ready === undefined) throw new Error(`${label} is not running`)
    return ready.ticket
  }

  /** Resolves when every node runs, is in its domain, and has all its links. */
  async start(onReady: (node: FederationNode) => void): Promise<void> {
    fs.mkdirSync(this.#directory, { recursive: true, mode: 0o700 })
    await this.#domains.open()
    const [first, second, ...mirrors] = NODES as readonly [NodePlan, NodePlan, ...NodePlan[]]
    await this.#startNode(first, onReady)
    this.#wire = await Wire.open(addressOf(this.ticket(WIRE.to)))
    await this.#startNode(second, onReady)
    await Promise.all(mirrors.map((plan) => this.#startNode(plan, onReady)))
    const turn = async (): Promise<void> => {
      await this.#askAll()
      if (!this.#isClosed) this.#poll = setTimeout(turn, POLL_MS)
    }
    await turn()
  }

  cutWire(): void {
    this.#wire?.cut()
  }

  restoreWire(): void {
    this.#wire?.restore()
  }

  /** The two ends of the wire see each other. */
  get isWireUp(): boolean {
    const other = this.node(WIRE.to).process.ready?.principal
    const links = this.node(WIRE.from).status?.links ?? []
    return links.some(({ principal }) => principal === other)
  }

  /** All nodes at once: each finishes what it has begun. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#poll)
    await Promise.all(this.nodes.map(({ process }) => process.stop()))
    this.#wire?.close()
  }

  async #startNode(
    plan: NodePlan,
    onReady: (node: FederationNode) => void,
  ): Promise<FederationNode> {
    const { label, role, domain } = plan
    const process = new NodeProcess({ label, role, data: join(this.#directory, label) })
    const node: FederationNode = { plan, process, status: undefined }
    this.#nodes.set(label, node)
    const ready = await process.start(plan.joins.map((router) => this.#ticketFor(label, router)))
    node.status = await process.status()
    const untilS = node.status?.domain?.notAfterS ?? 0
    if (untilS - Date.now() / 1000 < RENEWAL_S) {
      await process.join(await this.#domains.admit(domain, parseName(ready.principal)))
    }
    onReady(node)
    return node
  }

  /** The link between the routers leads through the wire. */
  #ticketFor(label: string, router: string): string {
    const ticket = this.ticket(router)
    if (this.#wire === undefined || label !== WIRE.from || router !== WIRE.to) return ticket
    return formatTicket({ ...parseTicket(ticket), addresses: [this.#wire.address] })
  }

  async #askAll(): Promise<void> {
    await Promise.all(
      this.nodes.map(async (node) => {
        node.status = await node.process.status()
      }),
    )
  }
}

function addressOf(ticket: string): string {
  return parseTicket(ticket).addresses[0] as string
}
