/**
 * From append in one process to verified delivery in another one of the same machine.
 *
 * @module
 */
import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { hypercoreName } from '../contenders/hypercore.ts'
import { percentile } from '../frame/measure.ts'
import type { Contender, Durability, Role, Row } from '../frame/row.ts'

const SAMPLES = 200

type Kind = 'longshore' | 'hypercore'

/** The writer appends one entry, waits until the follower has it, and goes on. */
export class Pair {
  readonly #writer: ChildProcess
  readonly #follower: ChildProcess

  private constructor(writer: ChildProcess, follower: ChildProcess) {
    this.#writer = writer
    this.#follower = follower
  }

  static async start(kind: Kind, directory: string): Promise<Pair> {
    const script = (name: string): string => join(import.meta.dirname, '..', 'processes', name)
    const writer = fork(script('delay-writer.ts'), [kind, directory])
    const address = await nextMessage(writer)
    const follower = fork(script('delay-follower.ts'), [kind, directory, String(address)])
    await nextMessage(follower)
    return new Pair(writer, follower)
  }

  /** Milliseconds of each sample. */
  async measure(): Promise<number[]> {
    const delays: number[] = []
    for (let i = 0; i < SAMPLES; i++) {
      const seen = nextMessage(this.#follower)
      this.#writer.send('append')
      delays.push(Number(await seen))
    }
    return delays
  }

  close(): void {
    for (const child of [this.#writer, this.#follower]) child.kill()
  }
}

function nextMessage(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onExit = (): void => reject(new Error('a process of the benchmark ended early'))
    child.once('exit', onExit)
    child.once('message', (message) => {
      child.off('exit', onExit)
      resolve(message)
    })
  })
}

const CONTENDERS: readonly { kind: Kind; role: Role; durability: Durability }[] = [
  { kind: 'longshore', role: 'longshore', durability: 'durable' },
  { kind: 'hypercore', role: 'rival', durability: 'not durable' },
]

function delayRow(share: number, title: string): Row {
  return {
    title: `append to verified delivery in a second local process, ${title}`,
    ...{ unit: 'ms', better: 'less' },
    bound: 'the sync before delivery, then waking the follower by its file watch',
    contenders: async (directory) =>
      Promise.all(
        CONTENDERS.map(async ({ kind, role, durability }): Promise<Contender> => {
          const pair = await Pair.start(kind, join(directory, kind))
          return {
            ...{ name: kind === 'longshore' ? kind : hypercoreName(), role, durability },
            measure: async () => percentile(await pair.measure(), share),
            close: () => pair.close(),
          }
        }),
      ),
  }
}

export const delayRows: readonly Row[] = [delayRow(0.5, 'p50'), delayRow(0.99, 'p99')]
