/**
 * A router or a mirror: `network-node.ts ROLE DIRECTORY [TICKET]`.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { formatName, formatTicket, parseTicket } from '@longshore/capsule'
import { LongshoreNode, type NodeRole } from '@longshore/node'
import { answerCommands } from './command.ts'

const [role = '', data = '', ticket] = process.argv.slice(2)
const node = await LongshoreNode.open({
  data,
  listen: ['tls://127.0.0.1:0'],
  join: ticket === undefined ? [] : [parseTicket(ticket)],
  roles: [role as NodeRole],
})

const HELD_POLL_MS = 10
const PROCESS_STATUS = '/proc/self/status'

function sizeOf(capsule: string): number {
  const held = node.status.mirror?.capsules.find(({ name }) => name === capsule)
  return held?.size ?? 0
}

/** Mapped files, such as the index, are resident as well, but the system can drop them. */
function memoryBytes(): { readonly resident: number; readonly anonymous: number | undefined } {
  const status = existsSync(PROCESS_STATUS) ? readFileSync(PROCESS_STATUS, 'utf8') : ''
  const anonymousKib = /^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1]
  return {
    resident: process.memoryUsage().rss,
    anonymous: anonymousKib === undefined ? undefined : Number(anonymousKib) * 1024,
  }
}

answerCommands({
  describe: () => ({
    name: formatName(node.name),
    ticket: node.ticket && formatTicket(node.ticket),
  }),

  /** Resolves when the mirror holds so many entries of a capsule durably. */
  holds: async ({ capsule, size }: { capsule: string; size: number }) => {
    while (sizeOf(capsule) < size) await setTimeout(HELD_POLL_MS)
  },

  sentBytes: () => node.status.links.reduce((sum, { sentBytes }) => sum + sentBytes, 0),
  routes: () => node.status.routes,
  memory: memoryBytes,
  cpu: () => undefined,
})
