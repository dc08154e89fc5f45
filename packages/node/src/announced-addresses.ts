/**
 * Where others can dial a node that listens at some addresses: at these, but for the ones that
 * stand for every address of the machine, which nobody else can dial.
 *
 * @module
 */
import os from 'node:os'

const WILDCARD = /^tls:\/\/(?:0\.0\.0\.0|\[::\]):(\d+)$/
/** As many as a ticket holds. */
const ADDRESSES_MAX = 8

export function announcedAddresses(listen: readonly string[]): string[] {
  const found = listen.flatMap((address) => {
    const port = WILDCARD.exec(address)?.[1]
    return port === undefined ? [address] : ownHosts().map((host) => `tls://${host}:${port}`)
  })
  return [...new Set(found)].slice(0, ADDRESSES_MAX)
}

/** Addresses of this machine; the loopback only if there is no other. */
function ownHosts(): string[] {
  const all = Object.values(os.networkInterfaces()).flatMap((addresses) => addresses ?? [])
  // Addresses of one link need its name, which means nothing elsewhere.
  const usable = all.filter(({ internal, address }) => !internal && !address.startsWith('fe80:'))
  const hosts = usable.map(({ family, address }) => (family === 'IPv6' ? `[${address}]` : address))
  return hosts.length > 0 ? hosts : ['127.0.0.1']
}
