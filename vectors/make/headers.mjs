/** Entry headers as plain arrays, and the control values that the vectors share. */
import { derived, sha256, utf8 } from './bytes.mjs'
import { TIME_US } from './manifests.mjs'

export const EMPTY_HASH = sha256(new Uint8Array(0))
export const PAYLOAD = utf8('21.5 °C')
export const SALT = derived('salt', 16)

/** [kind, timeUs, payloadBytes, payloadHash] of the shared payload; `changes` by position. */
export function plainHeader(changes = {}) {
  return Object.assign([0, TIME_US, PAYLOAD.length, sha256(PAYLOAD)], changes)
}

/** A header that carries a command: kind 0 and no payload. */
export function controlHeader(ext, changes = {}) {
  return Object.assign([0, TIME_US, 0, EMPTY_HASH, [], ext], changes)
}

export function pointer(changes = {}) {
  const [capsule, branch] = [derived('pointed capsule', 32), new Uint8Array(0)]
  return Object.assign([capsule, branch, 7, derived('pointed leaf', 32)], changes)
}

export const BRANCH = derived('branch', 16)
export const MAIN = new Uint8Array(0)

/** [parent branch, epoch, size, root, reason] */
export function branchStart(changes = {}) {
  return Object.assign([MAIN, 0, 12, derived('parent root', 32), 'state lost'], changes)
}

/** [branch, epoch, size, root] */
export function headPointer(branch, changes = {}) {
  return Object.assign([branch, 0, 3, derived('sealed root', 32)], changes)
}

/** `count` head pointers of different branches, in the order of the format. */
export function sealedHeads(count) {
  const branches = Array.from({ length: count }, (_, at) => derived(`sealed branch ${at}`, 16))
  return branches.sort(Buffer.compare).map((branch) => headPointer(branch))
}
