/**
 * The commands of whoever operates nodes and trust domains; a part of the command table.
 *
 * @module
 */
import type { CommandSpec, OptionSpec } from './command-spec.ts'

const DATA: OptionSpec = {
  name: 'data',
  value: { name: 'DIR', type: 'directory' },
  required: true,
  help: 'The data directory of the node.',
}

export const NODE_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'node run',
    summary: 'Run a node: a router, a mirror, a gateway, until it is told to stop.',
    positionals: [],
    options: [
      {
        name: 'data',
        value: { name: 'DIR', type: 'directory' },
        help: 'Its keys and everything that it holds. Made if missing. Needed here or in FILE.',
      },
      {
        name: 'listen',
        value: { name: 'tls://HOST:PORT', type: 'text' },
        many: true,
        help: 'Where other nodes dial it; port 0 is any free one. Without it only this node dials.',
      },
      {
        name: 'announce',
        value: { name: 'tls://HOST:PORT', type: 'text' },
        many: true,
        help: 'What its ticket says in place of --listen: behind NAT, or by a name.',
      },
      {
        name: 'http',
        value: { name: 'HOST:PORT', type: 'text' },
        help: 'Serve /healthz, /metrics and, as a gateway, public capsules there.',
      },
      {
        name: 'join',
        value: { name: 'TICKET', type: 'text' },
        many: true,
        help: 'Keep a link to this node.',
      },
      {
        name: 'roles',
        value: { name: 'ROLES', type: 'text' },
        help: 'Any of router, mirror, gateway, with commas. Default: mirror, and gateway with --http.',
      },
      {
        name: 'domain',
        value: { name: 'NAME', type: 'name' },
        help: 'Do not start outside this trust domain; see `node join-domain`.',
      },
      {
        name: 'quota',
        value: { name: 'SIZE', type: 'text' },
        help: 'Store at most so many bytes (512M, 200G, 2T). Default: what the disk has.',
      },
      {
        name: 'config',
        value: { name: 'FILE', type: 'file' },
        help: 'JSON with the same settings: {"data":"DIR","listen":["tls://…"],…}. Options win.',
      },
      {
        name: 'log',
        value: { name: 'FORMAT', type: 'text', choices: ['text', 'json'] },
        help: 'How stderr is written. Default text, with --json json.',
      },
      {
        name: 'log-level',
        value: { name: 'LEVEL', type: 'text', choices: ['error', 'warn', 'info', 'debug'] },
        help: 'How much. Default info.',
      },
    ],
    notes: [
      'With --json the first line is {"event":"ready",…}, flushed when the node can be dialled.',
      'On SIGTERM or SIGINT it refuses new work, commits and acknowledges what it has accepted, withdraws what it advertises and says goodbye; after SIGTERM it ends with 0. A second signal ends it at once. Nothing acknowledged is lost either way.',
    ],
    schema: 'node-run',
  },
  {
    name: 'node ticket',
    summary: 'Print the ticket by which others join a node.',
    positionals: [],
    options: [DATA],
    notes: ['A ticket is no secret: it says where the node listens and which key it has there.'],
    schema: 'node-ticket',
  },
  {
    name: 'node status',
    summary: 'Show what a running node is at.',
    positionals: [],
    options: [DATA],
    notes: ['Of very many capsules the first 1000 are listed.'],
    schema: 'node-status',
  },
  {
    name: 'node join-domain',
    summary: 'Give a running node its membership in a trust domain.',
    positionals: [{ value: { name: 'MEMBERSHIP', type: 'text' } }],
    options: [DATA],
    notes: [
      'MEMBERSHIP is the word that `longshore domain admit` prints. It is kept in the data directory and replaces the one before; give the node a newer one before it ends.',
    ],
    schema: 'node-join-domain',
  },
  {
    name: 'node drop',
    summary: 'Have a running mirror stop serving and advertising a capsule.',
    positionals: [{ value: { name: 'NAME', type: 'name' } }],
    options: [
      DATA,
      { name: 'undo', help: 'Take it on again.' },
      { name: 'free', help: 'Remove what was stored, and give its space back.' },
    ],
    notes: [
      'It is not taken on again when its owner offers it. What was stored stays on the disk without `--free`; with it the node goes on while it compacts its journal, and with `--undo` the capsule comes back when it is pushed again. Receipts that were given stay valid: they say what was held then.',
    ],
    schema: 'node-drop',
  },
]

export const DOMAIN_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'domain new',
    summary: 'Make a trust domain and print its name.',
    positionals: [],
    options: [
      { name: 'label', value: { name: 'TEXT', type: 'text' }, help: 'What it is called; public.' },
    ],
    notes: ['Its key is in this home: whoever has it decides who is in the domain.'],
    schema: 'identity',
  },
  {
    name: 'domain admit',
    summary: 'Admit a node or a reader to a trust domain of this home and print the membership.',
    positionals: [
      { value: { name: 'DOMAIN', type: 'name' } },
      { value: { name: 'PRINCIPAL', type: 'name' } },
    ],
    options: [
      {
        name: 'rights',
        value: { name: 'RIGHTS', type: 'text' },
        help: 'Any of lookup, mirror, read, route, with commas. Default: all but read.',
      },
      {
        name: 'until',
        value: { name: 'T', type: 'text' },
        help: 'RFC 3339, seconds since 1970, or from now, like 12h or 90d. Default 365d.',
      },
    ],
    notes: [
      'The operator of the node runs `longshore node join-domain` with it; whoever is to read, a person, `longshore domain join`. It cannot be taken back before it ends.',
    ],
    schema: 'domain-admit',
  },
  {
    name: 'domain join',
    summary: 'Keep a membership by which this home’s identity may read for a trust domain.',
    positionals: [{ value: { name: 'MEMBERSHIP', type: 'text' } }],
    options: [],
    notes: ['What `longshore domain admit DOMAIN PERSON --rights read` prints.'],
    schema: 'domain-join',
  },
]
