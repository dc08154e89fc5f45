/**
 * What a node tells its operator about what the engine reports: lines of the log, and files that
 * convict a writer.
 *
 * @module
 */
import fs from 'node:fs'
import { join } from 'node:path'
import { type CapsuleName, formatName } from '@longshore/capsule'
import type { NodeEffect, Runtime, ScrubReport } from '@longshore/engine'

export class NodeLogbook {
  readonly #data: string
  readonly #log: Runtime['log']

  constructor(data: string, { log }: Runtime) {
    this.#data = data
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

  /** A file that convicts: whoever operates the node decides whom to show it to. */
  keepEvidence(name: CapsuleName, bytes: Uint8Array): void {
    const directory = join(this.#data, 'evidence')
    fs.mkdirSync(directory, { recursive: true, mode: 0o700 })
    const path = join(directory, `${formatName(name)}.evidence`)
    fs.writeFileSync(path, bytes, { mode: 0o600 })
    this.#log('error', 'mirror.equivocation', { capsule: formatName(name), path })
  }
}
