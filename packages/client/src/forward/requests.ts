/**
 * What a guest asks of the holder, and how the holder carries it out.
 *
 *     guest → holder   {"id": 7, "op": "append", "args": {…}}
 *     holder → guest   {"id": 7, "ok": {…}}  or  {"id": 7, "error": {…}}
 *     holder → guest   {"bye": 7}     it closes; requests after 7 were not looked at
 *
 * One table: an operation's name, its arguments, its answer. Rules HM40-HM44 of docs/spec/home.md.
 *
 * @module
 */
import { asCapsuleName, type CapsuleName, type CborMap, type CborValue } from '@longshore/capsule'
import type { Ack } from '../capsule.ts'
import type {
  BackupReport,
  CompactReport,
  CreateOptions,
  FsckReport,
  IdentityInfo,
  IdentityOptions,
  ImportReport,
} from '../home.ts'
import type { BranchAddress, HomeWriter } from '../home-writer.ts'
import {
  type AppendMessage,
  decodeAddress,
  decodeAppend,
  decodeName,
  encodeAddress,
  encodeAppend,
} from './append-message.ts'
import { type Fields, invalid, textMap } from './fields.ts'
import {
  ACK,
  BACKUP,
  COMPACT,
  FSCK,
  IDENTITY,
  IMPORT,
  NAME,
  NOTHING,
  type ReportCodec,
  TEXT,
} from './report.ts'

/** One kind of request. */
export interface Operation<TArgs, TResult> {
  readonly op: string
  encode(args: TArgs): CborMap
  decode(fields: Fields): TArgs
  readonly result: ReportCodec<TResult>
  run(writer: HomeWriter, args: TArgs): Promise<TResult>
}

export interface EraseArgs {
  readonly at: BranchAddress
  readonly ranges: readonly { readonly start: number; readonly end: number }[]
  readonly reason: string
}

export interface RecoverArgs {
  readonly at: BranchAddress
  readonly reason: string
}

export const APPEND: Operation<AppendMessage, Ack> = {
  op: 'append',
  encode: encodeAppend,
  decode: decodeAppend,
  result: ACK,
  run: (writer, { at, payloads, terms }) => writer.append(at, payloads, terms),
}

export const ERASE: Operation<EraseArgs, Ack> = {
  op: 'erase',
  encode: ({ at, ranges, reason }) =>
    createMap([
      ...encodeAddress(at),
      ['ranges', ranges.map(({ start, end }) => [start, end])],
      ['reason', reason],
    ]),
  decode: (fields) => ({
    at: decodeAddress(fields),
    ranges: fields.array('ranges').map(decodeRange),
    reason: fields.text('reason'),
  }),
  result: ACK,
  run: (writer, { at, ranges, reason }) => writer.erase(at, ranges, reason),
}

export const RECOVER: Operation<RecoverArgs, Ack> = {
  op: 'recover',
  encode: ({ at, reason }) => createMap([...encodeAddress(at), ['reason', reason]]),
  decode: (fields) => ({ at: decodeAddress(fields), reason: fields.text('reason') }),
  result: ACK,
  run: (writer, { at, reason }) => writer.recover(at, reason),
}

export const RESUME: Operation<{ readonly at: BranchAddress; readonly record: string }, void> = {
  op: 'resume',
  encode: ({ at, record }) => createMap([...encodeAddress(at), ['record', record]]),
  decode: (fields) => ({ at: decodeAddress(fields), record: fields.text('record') }),
  result: NOTHING,
  run: (writer, { at, record }) => writer.resume(at, record),
}

/** A file of entries of a capsule. */
export interface EntriesFileArgs {
  readonly signedManifest: Uint8Array
  readonly file: string
}

const ENTRIES_FILE: Pick<Operation<EntriesFileArgs, void>, 'encode' | 'decode' | 'result'> = {
  encode: ({ signedManifest, file }) =>
    createMap([
      ['file', file],
      ['manifest', signedManifest],
    ]),
  decode: (fields) => ({ file: fields.text('file'), signedManifest: fields.bytes('manifest') }),
  result: NOTHING,
}

export const TAKE_IN: Operation<EntriesFileArgs, void> = {
  ...{ op: 'take-in', ...ENTRIES_FILE },
  run: (writer, { signedManifest, file }) => writer.takeIn(signedManifest, file),
}

export const MEND: Operation<EntriesFileArgs, void> = {
  ...{ op: 'mend', ...ENTRIES_FILE },
  run: (writer, { signedManifest, file }) => writer.mend(signedManifest, file),
}

export const HEARTBEAT: Operation<BranchAddress, string> = {
  op: 'heartbeat',
  encode: (at) => createMap(encodeAddress(at)),
  decode: decodeAddress,
  result: TEXT,
  run: (writer, at) => writer.heartbeat(at),
}

export const SETTLE: Operation<BranchAddress, void> = {
  op: 'settle',
  encode: (at) => createMap(encodeAddress(at)),
  decode: decodeAddress,
  result: NOTHING,
  run: (writer, at) => writer.settle(at),
}

const POLICY_LISTS = ['carry', 'exclude', 'hold', 'read'] as const

function decodePolicyLists(fields: Fields): Pick<CreateOptions, (typeof POLICY_LISTS)[number]> {
  const given = POLICY_LISTS.filter((list) => fields.has(list))
  return Object.fromEntries(
    given.map((list) => [list, fields.array(list).map((name) => readName(name))]),
  )
}

export const CREATE: Operation<CreateOptions, CapsuleName> = {
  op: 'create',
  encode: ({
    labels = {},
    blind = false,
    public: isPublic = false,
    identity,
    postQuantum = false,
    copies,
    ...domains
  }) =>
    createMap([
      ['blind', blind],
      ['copies', copies ?? null],
      ['identity', identity ?? null],
      ['labels', new Map(Object.entries(labels))],
      ['post-quantum', postQuantum],
      ['public', isPublic],
      ...POLICY_LISTS.map((list): [string, CborValue] => [list, domains[list] ?? null]),
    ]),
  decode: (fields) => ({
    blind: fields.boolean('blind'),
    labels: textMap(fields.map('labels')),
    postQuantum: fields.boolean('post-quantum'),
    public: fields.boolean('public'),
    ...(fields.has('copies') ? { copies: fields.uint('copies') } : {}),
    ...(fields.has('identity') ? { identity: decodeName(fields, 'identity') } : {}),
    ...decodePolicyLists(fields),
  }),
  result: NAME,
  run: (writer, options) => writer.create(options),
}

export const CREATE_IDENTITY: Operation<IdentityOptions, IdentityInfo> = {
  op: 'create-identity',
  encode: ({ type = 'person', label, postQuantum = false }) =>
    createMap([
      ['label', label ?? null],
      ['post-quantum', postQuantum],
      ['type', type],
    ]),
  decode: (fields) => ({
    label: fields.has('label') ? fields.text('label') : undefined,
    postQuantum: fields.boolean('post-quantum'),
    type: decodeIdentityType(fields.text('type')),
  }),
  result: IDENTITY,
  run: (writer, options) => writer.createIdentity(options),
}

export const IMPORT_TILES: Operation<{ readonly directory: string }, ImportReport> = {
  op: 'import',
  encode: ({ directory }) => createMap([['directory', directory]]),
  decode: (fields) => ({ directory: fields.text('directory') }),
  result: IMPORT,
  run: (writer, { directory }) => writer.importTiles(directory),
}

export const BACK_UP: Operation<{ readonly file: string }, BackupReport> = {
  op: 'backup',
  encode: ({ file }) => createMap([['file', file]]),
  decode: (fields) => ({ file: fields.text('file') }),
  result: BACKUP,
  run: (writer, { file }) => writer.backup(file),
}

export const COMPACT_STORE: Operation<Record<string, never>, CompactReport> = {
  op: 'compact',
  encode: () => new Map(),
  decode: () => ({}),
  result: COMPACT,
  run: (writer) => writer.compact(),
}

export const CHECK_STORE: Operation<{ readonly repair: boolean }, FsckReport> = {
  op: 'fsck',
  encode: ({ repair }) => createMap([['repair', repair]]),
  decode: (fields) => ({ repair: fields.boolean('repair') }),
  result: FSCK,
  run: (writer, { repair }) => writer.fsck(repair),
}

export const REMEMBER: Operation<{ readonly key: string; readonly value: Uint8Array }, void> = {
  op: 'remember',
  encode: ({ key, value }) =>
    createMap([
      ['key', key],
      ['value', value],
    ]),
  decode: (fields) => ({ key: fields.text('key'), value: fields.bytes('value') }),
  result: NOTHING,
  run: (writer, { key, value }) => writer.remember(key, value),
}

/** Everything that a holder does for others. */
export const OPERATIONS: ReadonlyMap<string, Operation<never, unknown>> = new Map(
  [
    APPEND,
    ERASE,
    RECOVER,
    RESUME,
    HEARTBEAT,
    SETTLE,
    CREATE,
    CREATE_IDENTITY,
    IMPORT_TILES,
    BACK_UP,
    COMPACT_STORE,
    CHECK_STORE,
    REMEMBER,
    TAKE_IN,
    MEND,
  ].map((operation) => [operation.op, operation as Operation<never, unknown>]),
)

function createMap(entries: readonly (readonly [string, CborValue])[]): CborMap {
  return new Map(entries)
}

function readName(value: CborValue): CapsuleName {
  if (value instanceof Uint8Array && value.length === 32) return asCapsuleName(value)
  throw invalid('not a name')
}

function decodeRange(value: CborValue): { start: number; end: number } {
  const [start, end] = Array.isArray(value) ? (value as CborValue[]) : []
  if (typeof start !== 'number' || typeof end !== 'number') throw invalid('no range')
  return { start, end }
}

function decodeIdentityType(type: string): 'person' | 'domain' {
  if (type === 'person' || type === 'domain') return type
  throw invalid('the type of identity is not known')
}
