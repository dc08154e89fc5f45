/**
 * What `npm start` shows, as lines of text: pure functions of what is known.
 *
 * @module
 */
import type { DramaEvent } from './drama.ts'
import type { VerifiedHead } from './follower.ts'

export interface LinkView {
  /** Label of the other node. */
  readonly to: string
  /** Measured round trip; null before the first measurement. */
  readonly costUs: number | null
}

export interface NodeView {
  readonly label: string
  readonly domain: string
  readonly isUp: boolean
  readonly links: readonly LinkView[]
  /** Links to processes that are no nodes of the federation: writer, follower, commands. */
  readonly clients: number
  /** Every entry below it the mirror has signed for; undefined for a router. */
  readonly held: number | undefined
}

export interface View {
  readonly name: string
  readonly resumed: boolean
  /** Since this run began. */
  readonly written: number
  readonly acked: number
  readonly verified: number
  readonly lost: number
  /** Entries per second over the last few seconds. */
  readonly rate: number
  /** Entries in the capsule, as the writing process says. */
  readonly stored: number
  /** The newest head that the reading process verified. */
  readonly head: VerifiedHead
  /** Median over the last deliveries, milliseconds; undefined before the first. */
  readonly delayMs: number | undefined
  readonly nodes: readonly NodeView[]
  /** Newest last. */
  readonly happened: readonly string[]
  readonly seconds: number
}

/** Colours of a terminal, or none. */
export interface Paint {
  readonly strong: (text: string) => string
  readonly faint: (text: string) => string
  readonly bad: (text: string) => string
}

export const PLAIN: Paint = { strong: String, faint: String, bad: String }

const KEYS_LINE = 'k kill a mirror  l cut the link  c corrupt a disk  q quit'

/** Lines of the block that do not depend on what happened. */
const FIXED_LINES = 16
const HAPPENED_MAX = 8

/** The block that is redrawn, for a terminal with so many rows. */
export function formatBlock(view: View, rows: number, paint: Paint): string[] {
  const { written, acked, verified, lost, stored } = view
  const room = Math.max(1, Math.min(HAPPENED_MAX, rows - FIXED_LINES - 1))
  const happened = view.happened.slice(-room)
  return [
    `written   ${paint.strong(String(written))} measurements of this host (${view.rate.toFixed(0)}/s), ${stored} in all`,
    `acked     ${paint.strong(String(acked))}: two mirrors each signed that they hold them`,
    `verified  ${paint.strong(String(verified))} by a follower in another domain${delayText(view)}`,
    `lost      ${lost === 0 ? paint.strong('0') : paint.bad(String(lost))} of what was acknowledged`,
    '',
    paint.faint('a mirror has signed that it holds every entry below its number'),
    paint.faint('node     domain   state  signed for  behind  links (ms)'),
    ...view.nodes.map((node) => nodeLine(node, view, paint)),
    '',
    paint.faint('what happened'),
    ...(happened.length === 0 ? ['nothing yet: press a key and see'] : happened),
    '',
    paint.strong(KEYS_LINE),
  ]
}

function nodeLine(node: NodeView, { stored }: View, paint: Paint): string {
  const { label, domain, isUp, held } = node
  const state = isUp ? 'up  ' : paint.bad('down')
  const [signed, behind] =
    held === undefined ? ['', ''] : [String(held), String(Math.max(0, stored - held))]
  const links = isUp ? linksText(node) || paint.bad('none') : ''
  return `${label} ${domain.padEnd(8)} ${state}   ${signed.padStart(10)}  ${behind.padStart(6)}  ${links}`
}

/** Of mirrors a router shows only how many are linked: each of them has a line of its own. */
function linksText({ links, clients }: NodeView): string {
  const routers = links.filter(({ to }) => to.startsWith('router'))
  const mirrors = links.length - routers.length
  return [
    ...routers.map(({ to, costUs }) => `${to} ${costText(costUs)}`),
    ...(mirrors > 0 ? [countText(mirrors, 'mirror')] : []),
    ...(clients > 0 ? [countText(clients, 'client')] : []),
  ].join(', ')
}

function countText(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

function costText(costUs: number | null): string {
  return costUs === null ? '-' : (costUs / 1000).toFixed(1)
}

function delayText({ delayMs }: View): string {
  return delayMs === undefined ? '' : `, ${delayMs.toFixed(0)} ms later`
}

/** One line that says everything, for pipes and files. */
export function formatPlainLine(view: View): string {
  const { written, acked, verified, lost, nodes, delayMs } = view
  const mirrors = nodes
    .filter(({ held }) => held !== undefined)
    .map(({ label, isUp, held }) => `${label} ${isUp ? held : 'down'}`)
  const delay = delayMs === undefined ? '' : `, delay ${delayMs.toFixed(0)} ms`
  return `written ${written}, acked ${acked}, verified ${verified}, lost ${lost}${delay}; signed for: ${mirrors.join(', ')}`
}

/** One event in words. */
export function describeEvent(event: DramaEvent): string {
  switch (event.event) {
    case 'killed':
      return `${event.mirror} killed (SIGKILL); the others go on`
    case 'restarted':
      return `${event.mirror} runs again and catches up`
    case 'cut':
      return `the link ${event.from} to ${event.to} is cut`
    case 'restored':
      return `the link ${event.from} to ${event.to} is whole again`
    case 'corrupted':
      return `${event.mirror}: ${event.bytes} bytes flipped on its disk, at ${event.offset}`
    case 'damage-found':
      return `${event.mirror}: fsck found it: ${event.message}`
    case 'mended':
      return `${event.mirror} has mended its copy from the others, as the same node`
    case 'healed':
      return `healed: ${event.mirror} has signed for all ${event.size} entries`
    case 'not-healed':
      return `not healed: ${event.message}`
  }
}
