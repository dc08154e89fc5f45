/**
 * A place on this machine for the nodes of one test file: their data, their anchors, their logs.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LongshoreNode, type NodeOptions } from '../src/index.ts'
import { RemoteWriter } from './remote-writer.ts'

export class NodePlace {
  readonly directory: string = mkdtempSync(join(tmpdir(), 'longshore-'))
  readonly #nodes: LongshoreNode[] = []
  readonly #writers: RemoteWriter[] = []
  readonly #events: string[] = []
  #onEvent: (() => void) | undefined

  constructor() {
    process.env['XDG_STATE_HOME'] = join(this.directory, 'state')
  }

  path(name: string): string {
    return join(this.directory, name)
  }

  async open(name: string, options: Partial<NodeOptions> = {}): Promise<LongshoreNode> {
    const node = await LongshoreNode.open({
      data: this.path(name),
      listen: ['tls://127.0.0.1:0'],
      join: [],
      roles: ['mirror'],
      labels: { name },
      log: (_level, event) => {
        this.#events.push(event)
        this.#onEvent?.()
      },
      ...options,
    })
    this.#nodes.push(node)
    return node
  }

  /** A writer that has joined a node and pushes to it. */
  writer(seed: number, node: LongshoreNode): RemoteWriter {
    const writer = new RemoteWriter(seed)
    this.#writers.push(writer)
    if (node.ticket !== undefined) writer.join(node.ticket)
    writer.publish(node.name)
    return writer
  }

  /** Resolves when this event is logged; earlier ones that nobody waited for count. */
  async logged(event: string): Promise<void> {
    for (;;) {
      const at = this.#events.indexOf(event)
      if (at >= 0) {
        this.#events.splice(0, at + 1)
        return
      }
      await new Promise<void>((resolve) => {
        this.#onEvent = resolve
      })
    }
  }

  async close(): Promise<void> {
    for (const writer of this.#writers) await writer.close()
    for (const node of this.#nodes) await node.close()
    rmSync(this.directory, { recursive: true })
  }
}
