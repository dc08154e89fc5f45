/**
 * The machine without a body: the store, the journal, recovery and the writer's rules.
 *
 * Synchronous and deterministic: `step(event) -> effects`. Time, randomness, disk and index are
 * arguments. What tests and simulations need is `@longshore/engine/testing`.
 *
 * @module
 */

export { createMirrorPolicy } from './node/mirror-policy.ts'
export { type NodeEffect, NodeEngine, type NodeEvent } from './node/node-engine.ts'
export { createNodePrincipal, deriveNodeSeeds, type NodePrincipal } from './node/node-keys.ts'
export type { NodeIdentity } from './node/principal.ts'
export {
  heldCapsules,
  heldEvidence,
  mirrorService,
  publisherService,
  readerService,
  type Service,
  type ServiceEffect,
  type ServiceNews,
} from './node/service.ts'
export type { TraceHop } from './overlay/control-frame.ts'
export type { Join } from './overlay/joins.ts'
export { OVERLAY_LIMITS } from './overlay/limits.ts'
export type {
  Membership,
  OverlayEffect,
  OverlayEvent,
  RouteEntry,
} from './overlay/overlay-events.ts'
export { decodeBodies } from './replica/bodies-message.ts'
export { BranchIntake } from './replica/branch-intake.ts'
export { readChain } from './replica/chain-notes.ts'
export {
  committedHead,
  importNoteKey,
  pendingImport,
  pendingImportOp,
} from './replica/committed-head.ts'
export {
  droppedOp,
  isDropped,
} from './replica/dropped.ts'
export type { EntriesFrame } from './replica/entries-message.ts'
export type { StatedHead } from './replica/head-log.ts'
export { REPLICA_LIMITS } from './replica/limits.ts'
export { LocalCopy } from './replica/local-copy.ts'
export { clearingOps, isKnownDamaged, planMending } from './replica/mend-branch.ts'
export {
  decodeMessage,
  encodeMessage,
  type ReplicaMessage,
} from './replica/messages.ts'
export { Mirror } from './replica/mirror.ts'
export type { MirrorEffect, MirrorPolicy, MirrorTransaction } from './replica/mirror-contract.ts'
export type { MirrorStatus } from './replica/mirror-counters.ts'
export type { SizedHeartbeat } from './replica/mirror-note.ts'
export { missingPayloads } from './replica/missing-payloads.ts'
export type { MulticastCounters } from './replica/multicast-feed.ts'
export { Publisher } from './replica/publisher.ts'
export type { MirrorReceipt, MirrorTarget, PublisherEffect } from './replica/publisher-contract.ts'
export { RangeSet } from './replica/range-set.ts'
export type {
  ReaderEffect,
  ReaderOptions,
} from './replica/reader-contract.ts'
export type { Stretch } from './replica/remote-read.ts'
export { RemoteReader } from './replica/remote-reader.ts'
export type { Source } from './replica/remote-sources.ts'
export { planRemoval, type Removal, readStated } from './replica/removal.ts'
export { type OtherCopy, ShownEntries, type ShownEntry } from './replica/shown-entries.ts'
export { storedManifest } from './replica/stored-manifest.ts'
export { EntriesVerifier } from './replica/verify-entries.ts'
export type { AnchorSlot } from './runtime/anchor-slot.ts'
export {
  type Disk,
  DiskError,
  type DiskErrorCode,
  type DiskFile,
} from './runtime/disk.ts'
export type {
  IndexStore,
  IndexWrite,
} from './runtime/index-store.ts'
export type { Runtime } from './runtime/runtime.ts'
export type { SpareMemory } from './runtime/spare-memory.ts'
export type { SessionEffect, SessionEvent } from './session/events.ts'
export { MESSAGE_BYTES_MAX, SESSION_LIMITS, type SessionLimits } from './session/limits.ts'
export {
  Sessions,
  type SessionsOptions,
} from './session/sessions.ts'
export { EMPTY_INDEX } from './store/disk/committed-state.ts'
export type { CompactReport } from './store/disk/compaction.ts'
export { type DiskStore, openDiskStore } from './store/disk/disk-store.ts'
export type { FsckProblem, FsckReport } from './store/disk/fsck-report.ts'
export type { ScrubReport } from './store/disk/scrub.ts'
export type { EntryBatch } from './store/entry-batch.ts'
export { EntryBatchBuilder } from './store/entry-batch-builder.ts'
export {
  MemoryMedium,
  MemoryStore,
} from './store/memory-store.ts'
export {
  runSlices,
  type Slices,
} from './store/slices.ts'
export type {
  BranchState,
  IndexRange,
  Store,
  StoredEntry,
  StoreEffect,
  StoreOp,
  StoreReader,
} from './store/store.ts'
export type { TransportEffect, TransportEvent } from './transport/transport.ts'
export { ANCHOR_BYTES, decodeAnchor, encodeAnchor, isCaughtUp } from './writer/anchor.ts'
export { BranchWriter, type Cut, type EntryOptions } from './writer/branch-writer.ts'
export {
  isAnchorUpToDate,
  openBranchWriter,
  type WriterOptions,
} from './writer/open-branch-writer.ts'
export { createFirstInstance, createGiveUpNote } from './writer/writer-notes.ts'
