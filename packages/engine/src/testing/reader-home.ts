/**
 * A reader of one remote branch and the mirrors that it talks to: messages go by hand, so that a
 * test may change what a mirror answers. What was read is collected and checked for gaps.
 *
 * @module
 */
import { MAIN_BRANCH } from '@longshore/capsule'
import type { ReaderEffect, ReaderOptions } from '../replica/reader-contract.ts'
import { RemoteReader } from '../replica/remote-reader.ts'
import { frameAt } from '../store/frame.ts'
import { expectEqual } from './expect.ts'
import type { MirrorHome } from './mirror-home.ts'

/** What a hostile mirror makes of its answers. */
export type Change = (message: Uint8Array) => readonly Uint8Array[]

interface Line {
  readonly mirror: MirrorHome
  readonly session: number
  readonly change: Change
}

export class ReaderHome {
  readonly reader: RemoteReader
  readonly effects: ReaderEffect[] = []
  /** Bodies that were read, by request and index. */
  readonly read: Map<number, (Uint8Array | undefined)[]> = new Map()
  readonly #lines: Line[] = []
  readonly #next: Map<number, number> = new Map()

  constructor(options: Omit<ReaderOptions, 'branch'> & Partial<Pick<ReaderOptions, 'branch'>>) {
    this.reader = new RemoteReader({ branch: MAIN_BRANCH, ...options })
  }

  connect(mirror: MirrorHome, session: number, change: Change = (message) => [message]): void {
    this.#lines.push({ mirror, session, change })
    mirror.connect(session)
    const { name } = mirror.headLog
    this.take(this.reader.opened(session, { name, mirrorKey: mirror.signer.key }))
  }

  disconnect(session: number): void {
    const at = this.#lines.findIndex((line) => line.session === session)
    const [line] = this.#lines.splice(at, 1)
    line?.mirror.mirror.closed(session)
    this.take(this.reader.closed(session))
  }

  take(effects: readonly ReaderEffect[]): void {
    for (const effect of effects) {
      if (effect.type === 'entries') this.#collect(effect)
      this.effects.push(effect)
    }
  }

  /** Until nobody says anything more. */
  exchange(): void {
    for (let round = 0; round < 10_000; round++) {
      let count = 0
      for (const { mirror, session, change } of [...this.#lines]) {
        const out = this.#sentTo(session)
        for (const message of out) mirror.receive(session, message)
        while (mirror.work()) {}
        const back = mirror.sentTo(session)
        for (const message of back) {
          for (const changed of change(message)) this.take(this.reader.receive(session, changed))
        }
        count += out.length + back.length
      }
      if (count === 0) return
    }
    throw new Error('the two sides never fall silent')
  }

  /** Codes of the errors of one kind of effect. */
  codes(type: 'distrusted' | 'refused' | 'failed'): string[] {
    return this.effects.flatMap((effect) => (effect.type === type ? [effect.error.code] : []))
  }

  #collect({ request, start, entries }: Extract<ReaderEffect, { type: 'entries' }>): void {
    expectEqual(start, this.#next.get(request) ?? start, 'entries come without gaps')
    this.#next.set(request, start + entries.count)
    const read = this.read.get(request) ?? []
    this.read.set(request, read)
    for (let i = 0; i < entries.count; i++) read[start + i] = frameAt(entries, i).body?.slice()
  }

  #sentTo(session: number): Uint8Array[] {
    const sent: Uint8Array[] = []
    const rest = this.effects.filter((effect) => {
      const isSent = effect.type === 'send' && effect.session === session
      if (isSent) sent.push(effect.message)
      return !isSent
    })
    this.effects.splice(0, this.effects.length, ...rest)
    return sent
  }
}
