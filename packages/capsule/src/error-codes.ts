/**
 * The table of all error codes: who must act, and what that person can do next.
 *
 * Codes are one namespace for the library, the wire, the command line and the HTTP gateway
 * (docs/spec/errors.md, which a test compares with this table). Add codes; never rename or reuse
 * one. `next` is one sentence for a person, printed under the message.
 *
 * @module
 */

/** What was shown as evidence is wrong: whoever made or stored the bytes must act. */
export type VerificationCode =
  | 'BAD_SIGNATURE'
  | 'SIGNATURE_MISSING'
  | 'BAD_KEY'
  | 'NAME_MISMATCH'
  | 'MANIFEST_INVALID'
  | 'HEADER_INVALID'
  | 'PAYLOAD_MISMATCH'
  | 'PROOF_SHAPE'
  | 'ROOT_MISMATCH'
  | 'CHECKPOINT_INVALID'
  | 'NOTE_INVALID'
  | 'RECEIPT_INVALID'
  | 'PACKAGE_INVALID'
  | 'EVIDENCE_INVALID'
  | 'EQUIVOCATION'
  | 'ROLLBACK'
  | 'CBOR_INVALID'
  | 'COSE_INVALID'
  | 'CRIT_UNKNOWN'
  | 'CRYPTO_UNSUPPORTED'
  | 'EXPORT_INVALID'
  | 'BACKUP_INVALID'
  | 'CERT_INVALID'
  | 'CERT_EXPIRED'
  | 'CERT_SCOPE'
  | 'CERT_CHAIN'
  | 'CERT_REVOKED'

/** A peer broke the protocol: drop the connection. */
export type ProtocolCode =
  | 'FRAME_INVALID'
  | 'PROTOCOL_VERSION'
  | 'PROTOCOL_ERROR'
  | 'HELLO_INVALID'
  | 'SESSION_INVALID'

/** Not here or not now: try again later, elsewhere, or repair this place. */
export type UnavailableCode =
  | 'LOCKED'
  | 'HOLDER_LOST'
  | 'WRITER_STATE_UNKNOWN'
  | 'NOT_FOUND'
  | 'PAYLOAD_ABSENT'
  | 'PAYLOAD_ERASED'
  | 'STORE_FULL'
  | 'STORE_IO'
  | 'STORE_CORRUPT'
  | 'STORE_FAILED'
  | 'KEY_UNREADABLE'
  | 'ANCHOR_UNWRITABLE'
  | 'HOME_UNREADABLE'
  | 'LEVEL_UNSUPPORTED'
  | 'REVOCATION_STALE'
  | 'ABORTED'
  | 'CLOSED'
  | 'NO_ROUTE'
  | 'POLICY_REFUSED'
  | 'HOPS_EXCEEDED'
  | 'NO_MIRROR'
  | 'QUOTA_EXCEEDED'
  | 'OVERLOADED'
  | 'PEER_LOST'
  | 'PORT_TAKEN'
  | 'NODE_MISMATCH'
  | 'LEVEL_IMPOSSIBLE'
  | 'CLOCK_SKEW'
  | 'NODE_NOT_RUNNING'

/** The caller asked for something that cannot be: fix the call or the command. */
export type UsageCode =
  | 'NAME_INVALID'
  | 'USAGE'
  | 'PAYLOAD_TOO_LARGE'
  | 'MANIFEST_TOO_LARGE'
  | 'INDEX_OUT_OF_RANGE'
  | 'NOT_A_WRITER'
  | 'JSON_INVALID'
  | 'FILE_UNREADABLE'
  | 'FILE_EXISTS'
  | 'FILE_UNWRITABLE'
  | 'NOT_ERASABLE'
  | 'KEY_MISSING'
  | 'TIME_INVALID'
  | 'TICKET_INVALID'
  | 'MEMBERSHIP_INVALID'
  | 'CONFIG_INVALID'

export type ErrorCode = VerificationCode | ProtocolCode | UnavailableCode | UsageCode

export type ErrorClass = 'VerificationError' | 'ProtocolError' | 'UnavailableError' | 'UsageError'

export interface ErrorCodeInfo<TClass extends ErrorClass = ErrorClass> {
  readonly class: TClass
  /** What the person who sees the error can do, in one sentence. */
  readonly next: string
}

type ErrorCodeTable = Readonly<
  Record<VerificationCode, ErrorCodeInfo<'VerificationError'>> &
    Record<ProtocolCode, ErrorCodeInfo<'ProtocolError'>> &
    Record<UnavailableCode, ErrorCodeInfo<'UnavailableError'>> &
    Record<UsageCode, ErrorCodeInfo<'UsageError'>>
>

const verification = (next: string): ErrorCodeInfo<'VerificationError'> => ({
  class: 'VerificationError',
  next,
})
const protocol = (next: string): ErrorCodeInfo<'ProtocolError'> => ({
  class: 'ProtocolError',
  next,
})
const unavailable = (next: string): ErrorCodeInfo<'UnavailableError'> => ({
  class: 'UnavailableError',
  next,
})
const usage = (next: string): ErrorCodeInfo<'UsageError'> => ({ class: 'UsageError', next })

export const ERROR_CODES: ErrorCodeTable = Object.freeze({
  BAD_SIGNATURE: verification(
    'Do not use these bytes; get them again from another place, and tell whoever gave them to you.',
  ),
  SIGNATURE_MISSING: verification(
    'The keys of this capsule sign together and one signature was removed: get it again from another place.',
  ),
  BAD_KEY: verification(
    'Do not trust what this key signs; ask its owner for a capsule with a sound key.',
  ),
  NAME_MISMATCH: verification(
    'You were given another capsule than the one you named; compare the two names and ask again.',
  ),
  MANIFEST_INVALID: verification(
    'Get the manifest again from another place; if it stays the same, its maker wrote it wrong.',
  ),
  HEADER_INVALID: verification(
    'Get the entry again from another place; if it stays the same, its writer wrote it wrong.',
  ),
  PAYLOAD_MISMATCH: verification(
    'The payload is not what the writer signed; get it from another place: pull or import mends a home.',
  ),
  PROOF_SHAPE: verification('Ask for a new proof; this one cannot belong to that index and size.'),
  ROOT_MISMATCH: verification(
    'What you were shown is not what the writer signed; get it again from another place.',
  ),
  CHECKPOINT_INVALID: verification('Ask for a new checkpoint, or fetch it from another place.'),
  NOTE_INVALID: verification(
    'Check that the file is a complete signed note and that no program has changed its line ends.',
  ),
  RECEIPT_INVALID: verification(
    'Check that the receipt was copied completely, or ask for a new receipt of the same entry.',
  ),
  PACKAGE_INVALID: verification('Fetch this range of entries again from another place.'),
  EVIDENCE_INVALID: verification(
    'This file proves nothing against anybody; ask for the two signed statements again.',
  ),
  EQUIVOCATION: verification(
    'The writer signed two histories: keep this evidence, stop relying on the capsule, and tell its owner.',
  ),
  ROLLBACK: verification(
    'You were shown an older state than you have already seen; ask another place for the newest one.',
  ),
  CBOR_INVALID: verification(
    'Check that the file is complete and of the right kind; then get it again from another place.',
  ),
  COSE_INVALID: verification(
    'Check that the file is a signed manifest and complete; then get it again from another place.',
  ),
  CRIT_UNKNOWN: verification(
    'This capsule needs a newer version of Longshore to be understood; update and try again.',
  ),
  CRYPTO_UNSUPPORTED: verification(
    'This capsule uses cryptography that this version cannot check; update and try again.',
  ),
  EXPORT_INVALID: verification(
    'Export the capsule again, or remove what does not belong in the directory.',
  ),
  BACKUP_INVALID: verification('Restore from another backup file, or make the backup again.'),

  CERT_INVALID: verification(
    'Ask whoever sent the certificate for a complete one; if it stays the same, its issuer wrote it wrong.',
  ),
  CERT_EXPIRED: verification(
    'Ask for a certificate that holds now, and compare the clocks of both machines.',
  ),
  CERT_SCOPE: verification(
    'The certificate is for something else; ask its issuer for one that covers this.',
  ),
  CERT_CHAIN: verification(
    'Ask for the whole chain, from the certificate to the owner of the capsule or the domain.',
  ),
  CERT_REVOKED: verification(
    'The issuer took this certificate back; ask its issuer for a new one if that was a mistake.',
  ),
  FRAME_INVALID: protocol('Close the connection; the other side speaks another protocol or lies.'),
  PROTOCOL_VERSION: protocol(
    'Update the older of the two nodes; they have no version of the protocol in common.',
  ),
  PROTOCOL_ERROR: protocol('Close the connection; the other side broke the protocol.'),
  HELLO_INVALID: protocol(
    'Close the connection; the other side is not the node that it says it is.',
  ),
  SESSION_INVALID: protocol(
    'Open a new session; this one was tampered with or was meant for somebody else.',
  ),

  LOCKED: unavailable(
    'Another process is using this home: wait until it ends, or let it do the work.',
  ),
  HOLDER_LOST: unavailable(
    'The process that was writing ended: look which entries arrived, then append the rest again.',
  ),
  WRITER_STATE_UNKNOWN: unavailable(
    'This home may be older than what it has already signed: bring in the newest copy with import or restore, or, only if no other copy was ever used, run recover with --assume-only-copy.',
  ),
  NOT_FOUND: unavailable('Check the name, or import the capsule into this home first.'),
  PAYLOAD_ABSENT: unavailable(
    'The entry is known but its payload is not here: import it from a place that has it.',
  ),
  PAYLOAD_ERASED: unavailable(
    'The payload was erased on purpose and cannot come back; its entry stays provable.',
  ),
  STORE_FULL: unavailable(
    'Free some space on the disk and try again; nothing already stored was harmed.',
  ),
  STORE_IO: unavailable('Check the disk and the permissions of the home, then try again.'),
  STORE_CORRUPT: unavailable(
    'Run fsck to see what is damaged; pull the capsule from its mirrors or import an export, then compact.',
  ),
  STORE_FAILED: unavailable(
    'A write could not be made safe, so this process stopped: check the disk, then start it again.',
  ),
  KEY_UNREADABLE: unavailable(
    'Make the key file readable for your user (mode 0600), or put it back from your copy.',
  ),
  ANCHOR_UNWRITABLE: unavailable(
    'Make the anchor directory ($XDG_STATE_HOME/longshore) writable, or set XDG_STATE_HOME to another one.',
  ),
  HOME_UNREADABLE: unavailable(
    'Check that the home is a directory that your user may read and write, or choose another with --home.',
  ),
  LEVEL_UNSUPPORTED: unavailable(
    'Use the level stored, or replicated:K with mirrors; levels with witnesses are not offered yet.',
  ),
  REVOCATION_STALE: unavailable(
    "Fetch the newest state of the issuer's revocation capsule, then try again.",
  ),
  ABORTED: unavailable('Nothing to repair: start it again when you want it.'),
  CLOSED: unavailable('Open the home again; this handle was closed.'),
  NO_ROUTE: unavailable('Check that a node serves this name and is connected, then try again.'),
  POLICY_REFUSED: unavailable(
    'Choose a place that the policy of the capsule allows; it is fixed in its manifest.',
  ),
  HOPS_EXCEEDED: unavailable(
    'Try again later; the routes were changing, or somebody routes in circles.',
  ),
  NO_MIRROR: unavailable(
    'Add a mirror with mirror add, or wait until one of them answers; nothing is lost meanwhile.',
  ),
  QUOTA_EXCEEDED: unavailable(
    'Ask the operator of the mirror for more space, or choose another mirror.',
  ),
  OVERLOADED: unavailable('Try again later; the other side has more work than it can do.'),
  PEER_LOST: unavailable('Try again; the other side stopped answering.'),
  PORT_TAKEN: unavailable(
    'Choose another port, or 0 for any free one; another process listens there, or the address is not of this machine.',
  ),
  NODE_MISMATCH: unavailable('Choose the data directory of this node, or an empty one.'),
  LEVEL_IMPOSSIBLE: unavailable(
    'Ask for fewer copies, or add mirrors in the domains that the policy of the capsule names.',
  ),
  CLOCK_SKEW: unavailable(
    'Set the clock of this machine or of the other one; they differ by more than is allowed.',
  ),
  NODE_NOT_RUNNING: unavailable(
    'Start the node with node run --data DIR, or choose the data directory of one that runs.',
  ),

  NAME_INVALID: usage(
    'Copy the whole name: 59 characters, beginning with bafyrei, lower case only.',
  ),
  USAGE: usage('See --help for what the command takes.'),
  PAYLOAD_TOO_LARGE: usage(
    'Split the payload: one entry holds at most 1 MiB (the command line does it with --chunk).',
  ),
  MANIFEST_TOO_LARGE: usage('Use fewer or shorter labels; a manifest holds at most 16 KiB.'),
  INDEX_OUT_OF_RANGE: usage('Choose an index from 0 to the size of the capsule minus 1.'),
  NOT_A_WRITER: usage(
    'Append in the home that holds the writer key of this capsule, or create a capsule of your own.',
  ),
  JSON_INVALID: usage('Correct the line that the message names, then append from that line on.'),
  FILE_UNREADABLE: usage('Check that the path is a file that your user may read.'),
  FILE_EXISTS: usage('Choose another path, or move the existing file away first.'),
  FILE_UNWRITABLE: usage('Choose a path where your user may write and the disk has space.'),
  NOT_ERASABLE: usage(
    'Only payloads of entries that carry no command can be erased; choose other indices.',
  ),
  KEY_MISSING: usage('Make an identity with id new, or put the key file back into the home.'),
  TIME_INVALID: usage(
    'Write the time like 2026-11-21T03:17:43Z, with its zone, or as seconds since 1970.',
  ),
  TICKET_INVALID: usage(
    'Copy the whole ticket, one word that begins with longshore1; node ticket prints it.',
  ),
  MEMBERSHIP_INVALID: usage(
    'Copy the whole membership; it begins with longshoremember1 and is one word.',
  ),
  CONFIG_INVALID: usage(
    'Correct the file: one JSON object with keys like the options of node run.',
  ),
})
