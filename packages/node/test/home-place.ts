/**
 * Homes on a network of nodes that route and mirror, for tests.
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { Ticket } from '@longshore/capsule'
import { type Capsule, type Home, openHome } from '@longshore/client/node'
import type { LongshoreNode, NodeOptions } from '../src/index.ts'
import { NodePlace } from './node-place.ts'

export class HomePlace extends NodePlace {
  override open(name: string, options: Partial<NodeOptions> = {}): Promise<LongshoreNode> {
    return super.open(name, { roles: ['router', 'mirror'], ...options })
  }

  async home(name: string, ...neighbors: readonly LongshoreNode[]): Promise<Home> {
    const home = await openHome({ path: this.path(name) })
    for (const neighbor of neighbors) await home.network.connect(ticketOf(neighbor))
    return home
  }
}

export function ticketOf({ ticket }: LongshoreNode): Ticket {
  assert.ok(ticket)
  return ticket
}

/** A public capsule that these mirrors hold. */
export async function createMirrored(
  home: Home,
  ...mirrors: readonly LongshoreNode[]
): Promise<Capsule> {
  const capsule = await home.create({ public: true })
  for (const mirror of mirrors) await home.network.addMirror(capsule.name, mirror.name)
  return capsule
}

export async function texts(entries: AsyncIterable<{ text(): string }>): Promise<string[]> {
  const all: string[] = []
  for await (const entry of entries) all.push(entry.text())
  return all
}
