/**
 * Which run of the operating system this is: what was not synced under another one may be lost.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'

const BOOT_ID_FILE = '/proc/sys/kernel/random/boot_id'

/**
 * A text that stays the same until the operating system restarts.
 *
 * Linux says it. Elsewhere it is derived from the boot time, rounded to a minute because clocks
 * are adjusted; a wrong "changed" only costs a rebuilt index.
 */
export function readBootId(): string {
  try {
    return fs.readFileSync(BOOT_ID_FILE, 'latin1').trim()
  } catch {
    const bootMinute = Math.round((Date.now() / 1000 - os.uptime()) / 60)
    return `${os.hostname()}/${bootMinute}`
  }
}

/** 16 bytes that stand for a boot id in files of fixed size. */
export function digestBootId(bootId: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bootId).digest().subarray(0, 16))
}
