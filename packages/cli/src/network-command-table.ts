/**
 * The commands of whoever has capsules on mirrors, or reads them from there; a part of the command
 * table.
 *
 * @module
 */
import type { CommandSpec, OptionSpec, PositionalSpec, ValueSpec } from './command-spec.ts'

const NAME: ValueSpec = { name: 'NAME', type: 'name' }
const NODE: PositionalSpec = { value: { name: 'PRINCIPAL', type: 'text' } }
const capsule: PositionalSpec = { value: NAME }

export const TIMEOUT: OptionSpec = {
  name: 'timeout',
  value: { name: 'SECONDS', type: 'integer' },
  help: 'How long to wait for mirrors that do not answer.',
}

/** For commands that read a capsule which may be elsewhere. */
export const REMOTE_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'mirrors',
    value: { name: 'D', type: 'integer' },
    help: 'Of a capsule elsewhere: only what D distinct mirrors have cosigned.',
  },
  {
    name: 'fresh',
    value: { name: 'SECONDS', type: 'integer' },
    help: 'Of a capsule elsewhere: only if somebody has stated its head within so many seconds.',
  },
  TIMEOUT,
]

export const NETWORK_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'connect',
    summary: 'Remember a node by its ticket: the way to everything that it can reach.',
    positionals: [{ value: { name: 'TICKET', type: 'text' } }],
    options: [TIMEOUT],
    notes: [
      'A ticket is what `longshore node ticket` prints. The node is dialled to see whether it answers; the ticket of a new node is kept either way. A newer one replaces the one that is known once the node has answered by it.',
    ],
    schema: 'connect',
  },
  {
    name: 'grant',
    summary: 'Let a node hold and serve a capsule: an AdCert, signed with the owner’s key.',
    positionals: [capsule],
    options: [
      {
        name: 'to',
        value: { name: 'PRINCIPAL', type: 'text' },
        required: true,
        help: 'The node, by its name.',
      },
      {
        name: 'rights',
        value: { name: 'RIGHTS', type: 'text' },
        help: 'serve, advertise, or both with a comma. Default: both.',
      },
      {
        name: 'until',
        value: { name: 'T', type: 'text' },
        help: 'RFC 3339, seconds since 1970, or from now, like 12h or 90d. Default 90d.',
      },
    ],
    notes: [
      'Prints the certificate chain in base64, and keeps it. `mirror add` makes one by itself. It cannot be taken back before it ends.',
    ],
    schema: 'grant',
  },
  {
    name: 'mirror add',
    summary: 'Have a node hold a capsule of this home from now on.',
    positionals: [capsule, NODE],
    options: [TIMEOUT],
    notes: [
      'Grants it the right if it has none, remembers it, and pushes what is there. A node that does not answer now gets it later.',
    ],
    schema: 'mirror',
  },
  {
    name: 'mirror list',
    summary: 'List the mirrors of a capsule, as this home knows them.',
    positionals: [capsule],
    options: [],
    notes: ['Without the network; `longshore status` asks them.'],
    schema: 'mirror',
  },
  {
    name: 'mirror remove',
    summary: 'Push nothing more of a capsule to this node.',
    positionals: [capsule, NODE],
    options: [],
    notes: ['What it holds it keeps, and its grant holds until it ends.'],
    schema: 'mirror-remove',
  },
  {
    name: 'push',
    summary: 'Deliver to the mirrors of a capsule what they lack.',
    positionals: [capsule],
    options: [
      {
        name: 'copies',
        value: { name: 'K', type: 'integer' },
        help: 'Until K mirrors hold everything. Default: all that count.',
      },
      TIMEOUT,
    ],
    notes: [
      'Entries that were appended without a network wait in the home until then.',
      'The writer also states the head anew, for whoever reads with --fresh. While a command with replicated:K runs that happens every 20 seconds by itself.',
    ],
    schema: 'push',
  },
  {
    name: 'pull',
    summary: 'Bring a capsule into this home, verified, or bring the copy here up to date.',
    positionals: [capsule],
    options: REMOTE_OPTIONS,
    notes: [
      'What was cut off goes on where it stopped. Payloads that are missing here are fetched from whichever mirror has them.',
    ],
    schema: 'pull',
  },
  {
    name: 'status',
    summary: 'Show which mirrors hold a capsule, and how much of it.',
    positionals: [capsule],
    options: [TIMEOUT],
    notes: [
      'unreachable: it does not answer, and the figure is what it stated last. freed: it holds nothing now, and has stated that it did. refused: it does not show the capsule.',
    ],
    schema: 'status',
  },
  {
    name: 'trace',
    summary: 'Show the way to a name, hop by hop.',
    positionals: [capsule],
    options: [TIMEOUT],
    notes: [
      'Each hop with its domain, the cost to the next one as it measured it, and the hash of the certificate by which it carries the name.',
    ],
    schema: 'trace',
  },
]
