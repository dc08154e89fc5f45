/**
 * The processes of one measurement on the network, over TLS on the loopback.
 *
 * @module
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Child } from '../frame/child.ts'

export interface Described {
  readonly name: string
  readonly ticket: string
}

/** A writer and a mirror, and a router between them if it is wanted. */
export class Site {
  readonly mirror: Child
  readonly writer: Child
  readonly router: Child | undefined
  /** The node that everybody joins. */
  readonly neighbor: string
  readonly mirrorName: string

  private constructor(
    mirror: Child,
    writer: Child,
    router: Child | undefined,
    neighbor: string,
    mirrorName: string,
  ) {
    this.mirror = mirror
    this.writer = writer
    this.router = router
    this.neighbor = neighbor
    this.mirrorName = mirrorName
  }

  static async start(directory: string, hasRouter: boolean): Promise<Site> {
    mkdirSync(directory, { recursive: true })
    const home = (name: string): string => join(directory, name)
    const router = hasRouter ? await startNode('router', home('router')) : undefined
    const joined = router === undefined ? [] : [(await describe(router)).ticket]
    const mirror = await startNode('mirror', home('mirror'), ...joined)
    const { name, ticket } = await describe(mirror)
    const neighbor = joined[0] ?? ticket
    const writer = await Child.start('network-writer.ts', home('writer'), neighbor, name)
    return new Site(mirror, writer, router, neighbor, name)
  }

  async follower(): Promise<Child> {
    const capsule = await this.writer.ask<string>('open')
    return Child.start('network-follower.ts', this.neighbor, this.mirrorName, capsule)
  }

  async close(): Promise<void> {
    for (const child of [this.writer, this.mirror, this.router]) await child?.close()
  }
}

export function startNode(
  role: 'router' | 'mirror',
  data: string,
  ...tickets: readonly string[]
): Promise<Child> {
  return Child.start('network-node.ts', role, data, ...tickets)
}

export function describe(node: Child): Promise<Described> {
  return node.ask<Described>('describe')
}
