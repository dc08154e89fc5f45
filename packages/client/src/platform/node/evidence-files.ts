/**
 * Evidence that a home has found against writers: a file for each capsule, in `evidence/`.
 *
 * Rule HM70 of docs/spec/home.md.
 *
 * @module
 */
import fs from 'node:fs'
import { join } from 'node:path'
import {
  type CapsuleName,
  EVIDENCE_BYTES_MAX,
  formatBase64,
  formatName,
  isLongshoreError,
  VerificationError,
  verifyEquivocation,
} from '@longshore/capsule'
import { makeDirectories, writeFileDurably } from './node-disk.ts'

export class EvidenceFiles {
  readonly #directory: string
  /** A writer that is convicted stays it. */
  readonly #convicted = new Map<string, VerificationError>()

  constructor(directory: string) {
    this.#directory = directory
  }

  /** What this home knows against the writer of a capsule. */
  conviction(name: CapsuleName): VerificationError | undefined {
    const key = formatName(name)
    const known = this.#convicted.get(key) ?? this.#read(name)
    if (known !== undefined) this.#convicted.set(key, known)
    return known
  }

  /** Keeps what was found, if nothing was found before. Returns what is to be said about it. */
  convict(name: CapsuleName, bytes: Uint8Array): VerificationError {
    const known = this.conviction(name)
    if (known !== undefined) return known
    let path: string | undefined
    try {
      path = this.keep(name, bytes)
    } catch {
      // It is in the error, and the next process that meets both histories finds it again.
    }
    const error = describe(bytes, path)
    this.#convicted.set(formatName(name), error)
    return error
  }

  /** Returns the file: the first one stays. Throws what the file system says. */
  keep(name: CapsuleName, bytes: Uint8Array): string {
    const path = this.#path(name)
    if (this.conviction(name) !== undefined) return path
    makeDirectories(this.#directory, 0o700)
    writeFileDurably(path, bytes, 0o600)
    return path
  }

  #read(name: CapsuleName): VerificationError | undefined {
    const path = this.#path(name)
    try {
      const status = fs.statSync(path)
      // Whatever is no file may have no end.
      if (!status.isFile() || status.size > EVIDENCE_BYTES_MAX) return undefined
      const bytes = new Uint8Array(fs.readFileSync(path))
      const error = describe(bytes, path)
      return error.details['name'] === formatName(name) ? error : undefined
    } catch (error) {
      // No file, or one that convicts nobody.
      if (isLongshoreError(error) || (error instanceof Error && 'syscall' in error))
        return undefined
      throw error
    }
  }

  #path(name: CapsuleName): string {
    return join(this.#directory, `${formatName(name)}.evidence`)
  }
}

/** @throws {VerificationError} `EVIDENCE_INVALID` */
function describe(bytes: Uint8Array, path: string | undefined): VerificationError {
  const { name, sizes } = verifyEquivocation(bytes)
  const [size, sizeOther] = sizes
  const message = `the writer of this capsule signed two histories, of ${size} and of ${sizeOther} entries`
  const details = { name: formatName(name), size, sizeOther, evidence: formatBase64(bytes) }
  return new VerificationError(
    'EQUIVOCATION',
    message,
    path === undefined ? details : { ...details, path },
  )
}
