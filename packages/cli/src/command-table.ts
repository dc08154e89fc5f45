/**
 * Every command and option of `longshore`. Data only: `--help`, `--version` and completion load
 * nothing but this.
 *
 * Rule CL1 of docs/spec/cli.md, whose reference is made from this table.
 *
 * @module
 */

import type { CommandSpec, OptionSpec, PositionalSpec, ValueSpec } from './command-spec.ts'
import { NETWORK_COMMANDS, REMOTE_OPTIONS, TIMEOUT } from './network-command-table.ts'
import { DOMAIN_COMMANDS, NODE_COMMANDS } from './node-command-table.ts'

const NAME: ValueSpec = { name: 'NAME', type: 'name' }
const INTEGER_I: ValueSpec = { name: 'I', type: 'integer' }
const INTEGER_J: ValueSpec = { name: 'J', type: 'integer' }
const DOMAIN: ValueSpec = { name: 'DOMAIN', type: 'text' }
const capsule: PositionalSpec = { value: NAME }

const RANGE_OPTIONS: readonly OptionSpec[] = [
  { name: 'from', value: INTEGER_I, help: 'First index. Default 0.' },
  { name: 'to', value: INTEGER_J, help: 'Stop before this index. Default: the size.' },
  {
    name: 'last',
    value: { name: 'N', type: 'integer' },
    excludes: ['from', 'since'],
    help: 'Only the last N entries.',
  },
  {
    name: 'since',
    value: { name: 'T', type: 'text' },
    excludes: ['from'],
    help: 'Start at the first entry whose time, or an earlier one’s, reached T: RFC 3339, seconds since 1970, or an age like 90s, 10m, 2h, 1d.',
  },
  {
    name: 'raw',
    excludes: ['json'],
    help: 'Only the exact bytes of the payloads, nothing between them.',
  },
]

const REASON: OptionSpec = {
  name: 'reason',
  value: { name: 'TEXT', type: 'text' },
  help: 'Written into the capsule for everyone to read, for ever. At most 1024 bytes.',
}

/** Accepted before, between and after the words of every command. */
export const GLOBAL_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'home',
    value: { name: 'DIR', type: 'directory' },
    help: 'Where capsules and keys live. Default: $LONGSHORE_HOME, else ~/.longshore.',
  },
  { name: 'json', help: 'One JSON object per line on stdout, errors as one on stderr.' },
  { name: 'quiet', help: 'Only what was asked for: no progress, no summaries.' },
  { name: 'version', help: 'Print the version.' },
  { name: 'help', short: 'h', help: 'Explain the command.' },
]

const IDENTITY_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'id new',
    summary: 'Make an identity: an owner key with its authority capsule.',
    positionals: [],
    options: [
      { name: 'label', value: { name: 'TEXT', type: 'text' }, help: 'A word for your own lists.' },
      {
        name: 'post-quantum',
        help: 'Its owner signs with ML-DSA-44 as well as Ed25519; readers demand both.',
      },
    ],
    notes: ['A home makes one by itself when it first needs one.'],
    schema: 'identity',
  },
  {
    name: 'id list',
    summary: 'List the identities of this home.',
    positionals: [],
    options: [],
    notes: [],
    schema: 'identity',
  },
  {
    name: 'id show',
    summary: 'Show one identity, by default the one that new capsules get.',
    positionals: [{ value: NAME, optional: true }],
    options: [],
    notes: [],
    schema: 'identity',
  },
]

const CAPSULE_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'create',
    summary: 'Make a capsule and print its name.',
    positionals: [],
    options: [
      {
        name: 'label',
        value: { name: 'KEY=VALUE', type: 'pair' },
        many: true,
        help: 'Kept in the manifest: public and never erasable.',
      },
      {
        name: 'blind',
        help: 'Blind every payload’s hash with 16 random bytes, so that an erased one cannot be guessed.',
      },
      {
        name: 'public',
        excludes: ['read'],
        help: 'Let everyone read it. Default: only its owner and writer.',
      },
      {
        name: 'copies',
        value: { name: 'N', type: 'integer' },
        help: 'How many copies the owner wants, 1 to 64. Default 1.',
      },
      { name: 'hold', value: DOMAIN, many: true, help: 'Only mirrors of this domain may hold it.' },
      { name: 'carry', value: DOMAIN, many: true, help: 'It may only pass this domain.' },
      {
        name: 'exclude',
        value: DOMAIN,
        many: true,
        help: 'This domain may neither hold nor carry it.',
      },
      { name: 'read', value: DOMAIN, many: true, help: 'Members of this domain may read it.' },
      {
        name: 'identity',
        value: NAME,
        help: 'Whose capsule it is. Default: this home’s default identity.',
      },
      {
        name: 'post-quantum',
        help: 'Sign with ML-DSA-44 as well as Ed25519; readers demand both. Needs such an identity.',
      },
    ],
    notes: [
      'The name is the SHA-256 of the signed manifest. Nothing about it can be changed later.',
    ],
    schema: 'create',
  },
  {
    name: 'list',
    summary: 'List the capsules of this home.',
    positionals: [],
    options: [{ name: 'all', help: 'Also the persons and authority capsules of identities.' }],
    notes: ['With --quiet: names only.'],
    schema: 'capsule',
  },
  {
    name: 'show',
    summary: 'Show a capsule: keys, labels, size, latest checkpoint.',
    positionals: [capsule],
    options: [{ name: 'vkey', help: 'The C2SP vkey of the checkpoint key as the last line.' }],
    notes: [],
    schema: 'show',
  },
  {
    name: 'du',
    summary: 'Show how much space this home takes, and for what.',
    positionals: [],
    options: [],
    notes: [],
    schema: 'du',
  },
]

const ENTRY_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'append',
    summary: 'Append entries from files, or from stdin.',
    positionals: [capsule, { value: { name: 'FILE', type: 'file' }, optional: true, many: true }],
    options: [
      {
        name: 'lines',
        excludes: ['json-lines', 'whole'],
        help: 'One entry per line, without its newline. The default for stdin.',
      },
      {
        name: 'json-lines',
        excludes: ['whole'],
        help: 'One entry per line; every line has to be valid JSON.',
      },
      { name: 'whole', help: 'One entry per file. The default for FILE.' },
      {
        name: 'chunk',
        value: { name: 'SIZE', type: 'byteSize' },
        requires: 'whole',
        help: 'Cut files into entries of SIZE bytes (64K, 1M), at most 1M.',
      },
      {
        name: 'time-field',
        value: { name: 'F', type: 'text' },
        requires: 'json-lines',
        help: 'Take each entry’s time from this field: RFC 3339, or a number.',
      },
      {
        name: 'time-unit',
        value: { name: 'UNIT', type: 'text', choices: ['s', 'ms', 'us'] },
        requires: 'time-field',
        help: 'What a number in the time field counts, since 1970. Default s.',
      },
      {
        name: 'level',
        value: { name: 'LEVEL', type: 'level' },
        help: 'When to acknowledge: buffered (in memory), stored (synced to this disk, the default), replicated:K (K mirrors have stated that they hold it durably, too).',
      },
      TIMEOUT,
    ],
    notes: [
      'Entries are committed and acknowledged as they come, also while stdin stays open. With --json: a line {"event":"acked",…} per commit, flushed at once, and {"event":"done",…} at the end.',
      'A last line without a newline counts; an empty last piece does not. A line above the payload limit (1 MiB) ends the command; what was read before it stays appended.',
      'On SIGINT or SIGTERM: reading stops, what was read is committed and acknowledged, a line whose end was not read is left out. FILE can be - for stdin.',
    ],
    schema: 'append',
  },
  {
    name: 'read',
    summary: 'Print entries. Each one is verified first.',
    positionals: [capsule],
    options: [...RANGE_OPTIONS, ...REMOTE_OPTIONS],
    notes: [
      'A capsule that is not in this home is read from its mirrors, verified all the same.',
      'Times are the writer’s claim. Control characters of payloads are escaped; --raw and --json give the exact bytes.',
    ],
    schema: 'entry',
  },
  {
    name: 'follow',
    summary: 'Like read, then wait for more entries, until interrupted.',
    positionals: [capsule],
    options: [...RANGE_OPTIONS, ...REMOTE_OPTIONS],
    notes: [
      'With --to J it ends by itself before that index. --last 0 starts with what is new.',
      'Where the mirrors of a capsule elsewhere show less than was read before, it says so and waits.',
    ],
    schema: 'entry',
  },
  {
    name: 'erase',
    summary: 'Append an entry that erases payloads for good.',
    positionals: [capsule, { value: { name: 'INDEX', type: 'integer' }, many: true }],
    options: [REASON],
    notes: [
      'Headers, times, sizes and hashes stay, so every proof still verifies. The bytes leave the disk with `longshore compact`.',
    ],
    schema: 'erase',
  },
]

const PROOF_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'receipt',
    summary: 'Make a file that proves one entry offline.',
    positionals: [capsule, { value: { name: 'INDEX', type: 'integer' } }],
    options: [
      {
        name: 'output',
        short: 'o',
        value: { name: 'FILE', type: 'file' },
        help: 'Write there, replacing the file. Default: stdout.',
      },
      ...REMOTE_OPTIONS,
    ],
    notes: ['A C2SP tlog-proof. It holds the payload if that is at most 64 KiB.'],
    schema: 'receipt',
  },
  {
    name: 'verify',
    summary: 'Verify a receipt, evidence, an exported directory, or a capsule of this home.',
    positionals: [{ value: { name: 'FILE|DIR|NAME', type: 'file' } }],
    options: [
      { name: 'name', value: NAME, help: 'Fail unless it is about this capsule.' },
      ...REMOTE_OPTIONS,
    ],
    notes: [
      'Without --name a file only proves that it is consistent with the name inside it: compare that name with one that you trust.',
      'A well-formed name means the capsule in this home; write ./NAME for a file of that name.',
    ],
    schema: 'verify',
  },
]

const EXCHANGE_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'export',
    summary: 'Write a capsule as static files in the C2SP tlog-tiles layout.',
    positionals: [capsule, { value: { name: 'DIR', type: 'directory' } }],
    options: [
      {
        name: 'format',
        value: { name: 'FORMAT', type: 'text', choices: ['tlog-tiles'] },
        help: 'tlog-tiles, the default.',
      },
    ],
    notes: [
      'Every different payload becomes a file of its own, which a web server can serve alone: a capsule of 100,000 entries makes about as many files.',
    ],
    schema: 'export',
  },
  {
    name: 'import',
    summary: 'Verify an exported directory completely, then store it here.',
    positionals: [{ value: { name: 'DIR', type: 'directory' } }],
    options: [
      {
        name: 'evidence',
        value: { name: 'FILE', type: 'file' },
        help: 'Where to write the evidence if the directory contradicts what this home has.',
      },
    ],
    notes: [
      'A directory that ends earlier or later than what this home has is welcome; one that tells another history proves that its writer signed two (EQUIVOCATION).',
    ],
    schema: 'import',
  },
  {
    name: 'backup',
    summary: 'Write everything in this home, keys included, to one file.',
    positionals: [{ value: { name: 'FILE', type: 'file' } }],
    options: [],
    notes: [
      'The file can sign: keep it as you keep the home. It works while other processes append.',
    ],
    schema: 'backup',
  },
  {
    name: 'restore',
    summary: 'Make a home from a backup. The home must not exist, or be empty.',
    positionals: [{ value: { name: 'FILE', type: 'file' } }],
    options: [],
    notes: [
      'If the capsules were appended to since the backup, appending is refused until you say what is true: see `longshore recover --help`.',
    ],
    schema: 'restore',
  },
]

const CARE_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'recover',
    summary: 'Let a capsule be appended to again after WRITER_STATE_UNKNOWN.',
    positionals: [capsule],
    options: [
      {
        name: 'assume-only-copy',
        required: true,
        help: 'State that no later state of this capsule was ever given to anybody.',
      },
      { ...REASON, required: true },
    ],
    notes: [
      'A home that was restored from a copy may have forgotten entries that it signed. Signing others in their place would be equivocation, which anybody can prove. If you have the newer state (another copy of the home, an export), bring it back instead: `longshore import DIR`.',
      'The statement becomes an entry of the capsule.',
    ],
    schema: 'recover',
  },
  {
    name: 'compact',
    summary: 'Give back the space of erased payloads.',
    positionals: [],
    options: [],
    notes: [],
    schema: 'compact',
  },
  {
    name: 'fsck',
    summary: 'Check the journal, the index and every capsule of this home.',
    positionals: [],
    options: [{ name: 'repair', help: 'Rebuild what can be rebuilt from the journal.' }],
    notes: ['Exit code 4 if something is wrong and was not repaired.'],
    schema: 'fsck',
  },
  {
    name: 'completion',
    summary: 'Print a completion script for your shell.',
    positionals: [{ value: { name: 'SHELL', type: 'text', choices: ['bash', 'zsh', 'fish'] } }],
    options: [],
    notes: ['For example: source <(longshore completion bash)'],
  },
]

export const COMMANDS: readonly CommandSpec[] = [
  ...IDENTITY_COMMANDS,
  ...CAPSULE_COMMANDS,
  ...ENTRY_COMMANDS,
  ...PROOF_COMMANDS,
  ...EXCHANGE_COMMANDS,
  ...CARE_COMMANDS,
  ...NODE_COMMANDS,
  ...NETWORK_COMMANDS,
  ...DOMAIN_COMMANDS,
]

/** All options that a command accepts, its own first. */
export function optionsOf(command: CommandSpec | undefined): readonly OptionSpec[] {
  return command === undefined ? GLOBAL_OPTIONS : [...command.options, ...GLOBAL_OPTIONS]
}
