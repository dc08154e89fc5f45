/**
 * The machine that the numbers belong to.
 *
 * @module
 */
import { execFileSync } from 'node:child_process'
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { percentile } from './measure.ts'

export interface Conditions {
  readonly cpu: string
  readonly cores: number
  readonly memoryGib: number
  readonly kernel: string
  readonly node: string
  /** Of the tree that was measured, with `+` if it has changes. */
  readonly commit: string
  /** Median of writing 256 bytes to a preallocated file and syncing them, microseconds. */
  readonly syncUsP50: number
  /** Runnable processes of the last minute; above the number of cores, rates are too low. */
  readonly load: number
}

const SYNC_COUNT = 300
const PREALLOCATED_BYTES = 1 << 20

export function readConditions(workspace: string, load: number): Conditions {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGib: Math.round(totalmem() / 2 ** 30),
    kernel: `${type()} ${release()}`,
    node: process.version,
    commit: commitOf(import.meta.dirname),
    syncUsP50: syncUs(workspace),
    load,
  }
}

function commitOf(directory: string): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: directory, encoding: 'utf8' }).trim()
  try {
    return git('rev-parse', '--short=12', 'HEAD') + (git('status', '--porcelain') ? '+' : '')
  } catch {
    return 'unknown'
  }
}

function syncUs(workspace: string): number {
  const path = join(workspace, 'sync-probe')
  const file = openSync(path, 'w')
  try {
    writeSync(file, new Uint8Array(PREALLOCATED_BYTES))
    fdatasyncSync(file)
    const block = new Uint8Array(256).fill(1)
    const durations: number[] = []
    for (let i = 0; i < SYNC_COUNT; i++) {
      const started = performance.now()
      writeSync(file, block, 0, block.length, i * block.length)
      fdatasyncSync(file)
      durations.push((performance.now() - started) * 1000)
    }
    return Math.round(percentile(durations, 0.5))
  } finally {
    closeSync(file)
    rmSync(path)
  }
}
