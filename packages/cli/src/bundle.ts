/**
 * The bundle of this clone: the command line in few files, which load in half the time of its
 * several hundred sources. `scripts/bundle.ts` makes it; docs/design/0010-bundle.md says why.
 *
 * @module
 */
import fs from 'node:fs'
import { join } from 'node:path'

/** Relative to the clone. Holds `current.json` and a directory for each bundle. */
export const BUNDLE_DIRECTORY = 'node_modules/.cache/longshore-cli'

/** What native code is for. */
export const PLATFORM: string = [process.platform, process.arch, process.versions.modules].join(' ')

/** What `current.json` says. */
export interface Bundle {
  /** The bundle of `run.ts`, relative to BUNDLE_DIRECTORY. */
  readonly entry: string
  /** `PLATFORM` of the process that made it. */
  readonly platform: string
  /** Everything that it was made of, relative to the clone. */
  readonly sources: readonly Source[]
}

/** Path, length in bytes, and time of the last change in milliseconds since 1970. */
export type Source = readonly [path: string, byteLength: number, changedMs: number]

/**
 * Absolute path of the bundle of `run.ts`; undefined if there is none of these very sources for
 * this platform.
 */
export function currentBundle(root: string): string | undefined {
  const directory = join(root, BUNDLE_DIRECTORY)
  let bundle: Bundle
  try {
    bundle = JSON.parse(fs.readFileSync(join(directory, 'current.json'), 'utf8'))
  } catch {
    return undefined
  }
  if (bundle.platform !== PLATFORM) return undefined
  if (!bundle.sources.every((source) => isUnchanged(root, source))) return undefined
  return join(directory, bundle.entry)
}

function isUnchanged(root: string, [path, byteLength, changedMs]: Source): boolean {
  const stats = fs.statSync(join(root, path), { throwIfNoEntry: false })
  return stats !== undefined && stats.size === byteLength && stats.mtimeMs === changedMs
}
