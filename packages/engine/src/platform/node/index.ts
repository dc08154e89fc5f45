/**
 * The engine's outside world in Node: TLS between nodes.
 *
 * @module
 */
export { formatAddress, parseAddress, type TlsAddress } from './tls/address.ts'
export { certificateBody, createTlsKeys, openCertificate, type TlsKeys } from './tls/certificate.ts'
export { type TlsLimits, TlsTransport, type TlsTransportOptions } from './tls/tls-transport.ts'
