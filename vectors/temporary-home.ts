/**
 * Homes in temporary directories, anchors included, for tests that use the client itself.
 *
 * @module
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Home, openHome } from '@longshore/client/node'

/** A place for homes and files; everything in it is removed when it is disposed of. */
export class TemporaryPlace implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), 'longshore-vectors-'))

  constructor() {
    this.useState('state')
  }

  file(name: string): string {
    return join(this.path, name)
  }

  /** Anchors are looked for in this directory from now on. */
  useState(name: string): void {
    process.env['XDG_STATE_HOME'] = this.file(name)
  }

  open(name = 'home'): Promise<Home> {
    return openHome({ path: this.file(name) })
  }

  /** A copy as `cp -a` makes it. */
  copy(from: string, to: string): void {
    const isLive = (path: string): boolean => /\/(socket|lock|holder\.json)$/.test(path)
    cpSync(this.file(from), this.file(to), { recursive: true, filter: (path) => !isLive(path) })
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}
