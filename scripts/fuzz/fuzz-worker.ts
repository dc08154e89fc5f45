/**
 * Runs one fuzz target in a thread, and leaves the input at hand where the main thread can read it.
 *
 * @module
 */
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { canaries } from './canary.ts'
import { fuzz } from './fuzz-target.ts'
import { targets } from './targets.ts'

export interface FuzzOrder {
  readonly name: string
  readonly seed: number
  readonly iterations: number
  readonly seconds: number
  readonly shared: SharedArrayBuffer
}

const INPUT_BYTES_MAX = 1 << 20
const HEAD_BYTES = 8

/** How many inputs there were, and the last one of them, in memory that two threads share. */
export class LastInput {
  readonly shared: SharedArrayBuffer
  readonly #numbers: Int32Array
  readonly #bytes: Uint8Array

  constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(HEAD_BYTES + INPUT_BYTES_MAX)) {
    this.shared = shared
    this.#numbers = new Int32Array(shared, 0, 2)
    this.#bytes = new Uint8Array(shared, HEAD_BYTES)
  }

  write(input: Uint8Array): void {
    const kept = input.subarray(0, INPUT_BYTES_MAX)
    this.#bytes.set(kept)
    Atomics.store(this.#numbers, 1, kept.length)
    Atomics.add(this.#numbers, 0, 1)
  }

  read(): { readonly count: number; readonly input: Uint8Array } {
    const count = Atomics.load(this.#numbers, 0)
    return { count, input: this.#bytes.slice(0, Atomics.load(this.#numbers, 1)) }
  }
}

if (!isMainThread) {
  const { name, seed, iterations, seconds, shared } = workerData as FuzzOrder
  const target = [...targets, ...canaries].find((candidate) => candidate.name === name)
  if (target === undefined) throw new Error(`there is no target ${name}`)
  const end = performance.now() + seconds * 1000
  const last = new LastInput(shared)
  const result = fuzz(target, {
    seed,
    iterations,
    isOver: () => performance.now() > end,
    onInput: (input) => last.write(input),
  })
  parentPort?.postMessage(result)
}
