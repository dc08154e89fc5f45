/**
 * A writer for a process that may or may not hold the home: asks whoever holds it, and asks again
 * when that one has closed in order before it looked at the request.
 *
 * Rule HM45 of docs/spec/home.md.
 *
 * @module
 */
import type { CapsuleName } from '@longshore/capsule'
import type { IndexRange } from '@longshore/engine'
import type { AppendTerms } from '../../append-request.ts'
import type { Ack } from '../../capsule.ts'
import type {
  BackupReport,
  CompactReport,
  CreateOptions,
  FsckReport,
  IdentityInfo,
  IdentityOptions,
  ImportReport,
} from '../../home.ts'
import type { BranchAddress, HomeWriter } from '../../home-writer.ts'
import { HolderClosed } from './holder-connection.ts'

export class Forwarder implements HomeWriter {
  /** The holder, be it this process or a connection to another. */
  readonly #reach: () => Promise<HomeWriter>
  /** Something has changed: whoever asked shall see it. */
  readonly #onAnswered: () => void

  constructor(reach: () => Promise<HomeWriter>, onAnswered: () => void) {
    this.#reach = reach
    this.#onAnswered = onAnswered
  }

  async append(
    at: BranchAddress,
    payloads: readonly Uint8Array[],
    terms: AppendTerms,
    signal?: AbortSignal,
  ): Promise<Ack> {
    let done = 0
    let first: number | undefined
    for (;;) {
      const writer = await this.#reach()
      try {
        const ack = await writer.append(at, payloads.slice(done), terms, signal)
        this.#onAnswered()
        return { ...ack, index: first ?? ack.index, count: done + ack.count }
      } catch (error) {
        if (!(error instanceof HolderClosed)) throw error
        done += error.acknowledged
        first ??= error.firstIndex
      }
    }
  }

  erase(at: BranchAddress, ranges: readonly IndexRange[], reason: string): Promise<Ack> {
    return this.#ask((writer) => writer.erase(at, ranges, reason))
  }

  recover(at: BranchAddress, reason: string): Promise<Ack> {
    return this.#ask((writer) => writer.recover(at, reason))
  }

  resume(at: BranchAddress, record: string): Promise<void> {
    return this.#ask((writer) => writer.resume(at, record))
  }

  heartbeat(at: BranchAddress): Promise<string> {
    return this.#ask((writer) => writer.heartbeat(at))
  }

  settle(at: BranchAddress): Promise<void> {
    return this.#ask((writer) => writer.settle(at))
  }

  create(options: CreateOptions): Promise<CapsuleName> {
    return this.#ask((writer) => writer.create(options))
  }

  createIdentity(options: IdentityOptions): Promise<IdentityInfo> {
    return this.#ask((writer) => writer.createIdentity(options))
  }

  importTiles(directory: string, signal?: AbortSignal): Promise<ImportReport> {
    return this.#ask((writer) => writer.importTiles(directory, signal))
  }

  takeIn(signedManifest: Uint8Array, file: string): Promise<void> {
    return this.#ask((writer) => writer.takeIn(signedManifest, file))
  }

  mend(signedManifest: Uint8Array, file: string): Promise<void> {
    return this.#ask((writer) => writer.mend(signedManifest, file))
  }

  backup(file: string): Promise<BackupReport> {
    return this.#ask((writer) => writer.backup(file))
  }

  compact(): Promise<CompactReport> {
    return this.#ask((writer) => writer.compact())
  }

  fsck(repair: boolean): Promise<FsckReport> {
    return this.#ask((writer) => writer.fsck(repair))
  }

  remember(key: string, value: Uint8Array): Promise<void> {
    return this.#ask((writer) => writer.remember(key, value))
  }

  async #ask<T>(action: (writer: HomeWriter) => Promise<T>): Promise<T> {
    for (;;) {
      const writer = await this.#reach()
      try {
        const answer = await action(writer)
        this.#onAnswered()
        return answer
      } catch (error) {
        if (!(error instanceof HolderClosed)) throw error
      }
    }
  }
}
