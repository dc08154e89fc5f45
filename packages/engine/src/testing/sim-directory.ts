/**
 * The names of the simulated disk: which of them a process sees, and which survive power loss.
 *
 * Creating, renaming and removing change what processes see at once, and the platter only after a
 * sync of the directory. Until then a power loss keeps any subset of the changes; each single one
 * is atomic. What survives below a directory that did not is gone.
 *
 * Rule SM4 of docs/spec/simulation.md.
 *
 * @module
 */
import type { Prng } from './prng.ts'
import type { SimFile } from './sim-file.ts'

/** A directory is a name without a file. */
export type SimNode = SimFile | 'directory'

interface NameChange {
  /** The directory whose sync makes the change durable. */
  readonly parent: string
  readonly remove: string | undefined
  readonly set: readonly [path: string, node: SimNode] | undefined
}

/** Path of the directory that holds `path`; '' is the root. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}

export class SimNames {
  #cache = new Map<string, SimNode>()
  #platter = new Map<string, SimNode>()
  #changes: NameChange[] = []

  get(path: string): SimNode | undefined {
    return path === '' ? 'directory' : this.#cache.get(path)
  }

  /** All paths that a process sees, sorted. */
  paths(): string[] {
    return [...this.#cache.keys()].sort()
  }

  set(path: string, node: SimNode): void {
    this.#change({ parent: parentOf(path), remove: undefined, set: [path, node] })
  }

  remove(path: string): void {
    this.#change({ parent: parentOf(path), remove: path, set: undefined })
  }

  rename(from: string, to: string, node: SimNode): void {
    this.#change({ parent: parentOf(to), remove: from, set: [to, node] })
  }

  sync(directory: string): void {
    const later: NameChange[] = []
    for (const change of this.#changes) {
      if (change.parent === directory) apply(this.#platter, change)
      else later.push(change)
    }
    this.#changes = later
  }

  losePower(prng: Prng): void {
    const keep = prng.pick([0, 0.5, 1])
    for (const change of this.#changes) if (prng.chance(keep)) apply(this.#platter, change)
    this.#changes = []
    for (const path of [...this.#platter.keys()].sort()) {
      const parent = parentOf(path)
      if (parent !== '' && this.#platter.get(parent) !== 'directory') this.#platter.delete(path)
    }
    this.#cache = new Map(this.#platter)
  }

  /** Files that a power loss could still bring back or a process can still see. */
  files(): Set<SimFile> {
    const files = new Set<SimFile>()
    const add = (node: SimNode | undefined): void => {
      if (node !== undefined && node !== 'directory') files.add(node)
    }
    for (const node of this.#platter.values()) add(node)
    for (const node of this.#cache.values()) add(node)
    for (const change of this.#changes) add(change.set?.[1])
    return files
  }

  copy(): SimNames {
    const copy = new SimNames()
    for (const [path, node] of this.#cache) {
      const copied = node === 'directory' ? node : node.copy()
      copy.#cache.set(path, copied)
      copy.#platter.set(path, copied)
    }
    return copy
  }

  #change(change: NameChange): void {
    apply(this.#cache, change)
    this.#changes.push(change)
  }
}

function apply(names: Map<string, SimNode>, change: NameChange): void {
  if (change.remove !== undefined) names.delete(change.remove)
  if (change.set !== undefined) names.set(change.set[0], change.set[1])
}
