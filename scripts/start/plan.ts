/**
 * Who is who in the federation of `npm start`: three trust domains that do not trust each other,
 * two routers, three mirrors, a writer and a follower.
 *
 *     harbor               coast                stranger
 *     writer               follower
 *        |                    |
 *     router-a ===========  router-b
 *        |    \            /     \
 *     mirror-1 `- mirror-2        `------------ mirror-3
 *
 * The wire between the routers can be cut. An entry is acknowledged when any two of the mirrors
 * have signed that they hold it.
 *
 * @module
 */

export type DomainLabel = 'harbor' | 'coast' | 'stranger'

export const DOMAIN_LABELS: readonly DomainLabel[] = ['harbor', 'coast', 'stranger']

export interface NodePlan {
  readonly label: string
  readonly role: 'router' | 'mirror'
  readonly domain: DomainLabel
  /** Labels of the routers to which it keeps a link. */
  readonly joins: readonly string[]
}

/** In the order in which they start: a node joins those before it. */
export const NODES: readonly NodePlan[] = [
  { label: 'router-b', role: 'router', domain: 'coast', joins: [] },
  { label: 'router-a', role: 'router', domain: 'harbor', joins: ['router-b'] },
  { label: 'mirror-1', role: 'mirror', domain: 'harbor', joins: ['router-a'] },
  { label: 'mirror-2', role: 'mirror', domain: 'coast', joins: ['router-a', 'router-b'] },
  { label: 'mirror-3', role: 'mirror', domain: 'stranger', joins: ['router-b'] },
]

export const WRITER_ROUTER = 'router-a'
export const FOLLOWER_ROUTER = 'router-b'

/** The two ends of the wire. */
export const WIRE = { from: 'router-a', to: 'router-b' } as const

/** Mirrors that must have signed before an entry is acknowledged. */
export const COPIES = 2
