/**
 * A machine that joins: sockets, disks and keys around the engine.
 *
 * @module
 */
export { askNode } from './control-client.ts'
export { EVENTS } from './events.ts'
export { type GatewayOptions, HttpGateway, parseHttpAddress } from './http-gateway.ts'
export { LongshoreNode } from './longshore-node.ts'
export { type NodeFile, readNodeFile } from './node-file.ts'
export type { NodeProblem } from './node-health.ts'
export { createNodeLog, LOG_LEVELS, type LogLevel, type NodeLogOptions } from './node-log.ts'
export type { NodeOptions } from './node-options.ts'
export {
  NODE_ROLES,
  type NodePlan,
  type NodeRole,
  type NodeSettings,
  planNode,
  readSettingsFile,
} from './node-settings.ts'
export type { NodeStatus } from './node-status.ts'
