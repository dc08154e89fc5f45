/**
 * A machine that joins: sockets, disks and keys around the engine.
 *
 * @module
 */
export { type GatewayOptions, HttpGateway, parseHttpAddress } from './http-gateway.ts'
export { LongshoreNode, type NodeOptions, type NodeRole } from './longshore-node.ts'
