/**
 * A machine that joins: sockets, disks and keys around the engine.
 *
 * @module
 */
export { askNode } from './control-client.ts'
export { LongshoreNode } from './longshore-node.ts'
export { readNodeFile } from './node-file.ts'
export { createNodeLog, type LogLevel } from './node-log.ts'
export type { NodeOptions } from './node-options.ts'
export {
  type NodePlan,
  type NodeRole,
  type NodeSettings,
  planNode,
  readSettingsFile,
} from './node-settings.ts'
export type { NodeStatus } from './node-status.ts'
