/**
 * Everything that one run puts on the disk. It goes with the run, also if that is interrupted; what
 * failed is kept for whoever looks into it.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Processes that were just killed may still write. */
const REMOVE_TRIES = 5

export class RunDirectory {
  readonly path: string
  #isKept = false

  constructor() {
    this.path = mkdtempSync(join(tmpdir(), 'longshore-net-'))
    // Anchors of the homes that this process opens itself.
    process.env['XDG_STATE_HOME'] = join(this.path, 'state')
    process.once('exit', this.remove)
  }

  /** From now on nothing removes it. */
  keep(): void {
    this.#isKept = true
  }

  /** Does nothing if it is kept. */
  readonly remove = (): void => {
    process.off('exit', this.remove)
    if (this.#isKept) return
    rmSync(this.path, { recursive: true, force: true, maxRetries: REMOVE_TRIES })
  }
}
