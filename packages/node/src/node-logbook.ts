/**
 * What a node tells its operator about what the engine reports: lines of the log, and files that
 * convict a writer.
 *
 * @module
 */
import { join } from 'node:path'
import { type CapsuleName, formatName } from '@longshore/capsule'
import { EvidenceFiles, type HeldHome } from '@longshore/client/node'
import type { NodeEffect, Runtime, ScrubReport } from '@longshore/engine'

export class NodeLogbook {
  readonly #held: Pick<HeldHome, 'path' | 'withinReserve'>
  readonly #log: Runtime['log']

  constructor(held: Pick<HeldHome, 'path' | 'withinReserve'>, { log }: Runtime) {
    this.#held = held
    this.#log = log
  }

  report(effect: NodeEffect): void {
    switch (effect.type) {
      case 'link-up': {
        const { principal, remote } = effect
        this.#log('info', 'node.link-up', { peer: formatName(principal), remote })
        return
      }
      case 'link-down': {
        const { principal, remote, reason } = effect
        this.#log('info', 'node.link-down', { peer: formatName(principal), remote, reason })
        return
      }
      case 'refused': {
        const { name, router, code } = effect
        const details = { name: formatName(name), router: formatName(router), code }
        this.#log('warn', 'node.advertisement-refused', details)
        return
      }
      case 'advertised':
        this.#log('debug', 'node.advertised', { name: formatName(effect.name) })
    }
  }

  reportMending(type: 'damaged' | 'mending' | 'mended', name: CapsuleName): void {
    const details = { capsule: formatName(name) }
    if (type === 'damaged') this.#log('error', 'mirror.damaged', details)
    else if (type === 'mending') this.#log('info', 'mirror.mending', details)
    else this.#log('info', 'mirror.mended', details)
  }

  /** What a scrub found, or why there was none. */
  reportScrub(found: ScrubReport | Error): void {
    if (found instanceof Error) {
      this.#log('warn', 'store.scrubbed', { reason: found.message })
      return
    }
    const { bytes, damagedBytes, capsules } = found
    const details = { bytes, damagedBytes, capsules: capsules.length }
    this.#log(damagedBytes > 0 ? 'error' : 'info', 'store.scrubbed', details)
  }

  reportRoom(isFull: boolean): void {
    if (isFull) this.#log('warn', 'store.full')
    else this.#log('info', 'store.room')
  }

  /** A file that convicts: whoever operates the node decides whom to show it to. */
  keepEvidence(name: CapsuleName, bytes: Uint8Array): void {
    const files = new EvidenceFiles(join(this.#held.path, 'evidence'))
    const log = (kept: Readonly<Record<string, string>>): void => {
      this.#log('error', 'mirror.equivocation', { capsule: formatName(name), ...kept })
    }
    this.#held
      .withinReserve(() => files.keep(name, bytes))
      .then(
        (path) => log({ path }),
        (error: Error) => log({ reason: error.message }),
      )
  }
}
