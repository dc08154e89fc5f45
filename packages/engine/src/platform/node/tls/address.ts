/**
 * Where a node listens and is dialled: `tls://HOST:PORT`, `tls://[IPv6]:PORT`.
 *
 * @module
 */
import { UsageError } from '@longshore/capsule'

export interface TlsAddress {
  readonly host: string
  /** 0 to 65535; 0 lets the system choose when listening. */
  readonly port: number
}

const PATTERN = /^tls:\/\/(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]{1,253})):(0|[1-9][0-9]{0,4})$/

/** @throws {UsageError} `USAGE` for anything else. */
export function parseAddress(text: string): TlsAddress {
  const match = PATTERN.exec(text)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  if (host === undefined || port > 65_535) {
    throw new UsageError('USAGE', 'an address is tls://HOST:PORT', { address: text })
  }
  return { host, port }
}

export function formatAddress({ host, port }: TlsAddress): string {
  return host.includes(':') ? `tls://[${host}]:${port}` : `tls://${host}:${port}`
}
