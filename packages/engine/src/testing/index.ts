/**
 * What tests and simulations of any package build on: the simulated world and the store contract.
 *
 * Nothing here is for production: the numbers are predictable and the disk loses what it can.
 *
 * @module
 */
export { Intruder } from '../overlay/testing/intruder.ts'
export { createChainNotes } from '../replica/chain-notes.ts'
export { createSource, makeEntries } from '../replica/entries-source.ts'
export { decodeMessage, encodeMessage, isControlMessage } from '../replica/messages.ts'
export { createMirrorNote } from '../replica/mirror-note.ts'
export { SESSION_CODECS } from '../session/testing/codecs.ts'
export {
  type Authority,
  createAdChain,
  createAuthority,
  createMembership,
  createOwnedCapsule,
  type OwnedCapsule,
} from './authorities.ts'
export {
  type AppendOp,
  type AppendShape,
  BranchFixture,
  createManifestOp,
  type FixtureEntry,
  type ManifestOp,
} from './branch-fixture.ts'
export {
  type CapsuleFixture,
  createCapsuleFixture,
} from './capsule-fixture.ts'
export {
  type CrashSweepOptions,
  type CrashSweepReport,
  runCrashSweep,
} from './crash-sweep.ts'
export { EventQueue } from './event-queue.ts'
export {
  type DecodedFrame,
  decodeFrame,
  encodeFrame,
} from './frame-codec.ts'
export type { Lie } from './lying-service.ts'
export { MirrorHome } from './mirror-home.ts'
export { createNodeIdentity } from './node-identity.ts'
export {
  type NodeOptions,
  OverlayWorld,
  WorldNode,
} from './overlay-world.ts'
export { Prng } from './prng.ts'
export { PublisherHome } from './publisher-home.ts'
export { SignedBranch } from './signed-branch.ts'
export { SimAnchor } from './sim-anchor.ts'
export type { SimSource, SimTransaction } from './sim-commits.ts'
export {
  type DiskCounts,
  type Fault,
  SimCrash,
  SimDisk,
} from './sim-disk.ts'
export {
  type IndexCrash,
  SimIndex,
  type SimIndexCounts,
} from './sim-index.ts'
export {
  LAN,
  type LinkConditions,
  type SimEndpoint,
  SimNetwork,
  WAN,
} from './sim-network.ts'
export {
  type SimActor,
  SimNode,
  type SimNodeOptions,
  statedSize,
} from './sim-node.ts'
export {
  EPOCH_US,
  type LogLine,
  SimRuntime,
} from './sim-runtime.ts'
export type {
  OpenHarness,
  RegisterTest,
  StoreHarness,
} from './store-contract/harness.ts'
export { runStoreContract } from './store-contract.ts'
export { StoreDriver } from './store-driver.ts'
export { WriterHome } from './writer-home.ts'
