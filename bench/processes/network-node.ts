/**
 * A router or a mirror: `network-node.ts ROLE DIRECTORY [TICKET]`.
 *
 * @module
 */
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

answerCommands({
  describe: () => ({
    name: formatName(node.name),
    ticket: node.ticket && formatTicket(node.ticket),
  }),
  cpu: () => undefined,
})
