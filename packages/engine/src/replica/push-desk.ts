/**
 * What peers push: entries into the branches, and receipts back when they are durable.
 *
 * Pushes are pipelined: entries follow each other without waiting, and a group commit answers with
 * one receipt, which is cumulative. Two heads that do not fit convict their writer; whoever showed
 * the second one is told so. Where the copy here is damaged, a push shows what its peer holds.
 * Rules MI2-MI7, MI11 and MI31 of docs/spec/mirror.md.
 *
 * @module
 */
import {
  bytesEqual,
  type CapsuleName,
  type Head,
  ProtocolError,
  type SignedManifest,
  type Signer,
  UnavailableError,
  VerificationError,
} from '@longshore/capsule'
import type { StoreOp } from '../store/store.ts'
import type { BranchIntake } from './branch-intake.ts'
import { type HeadVerdict, judgeByPath, judgeByTree } from './equivocation.ts'
import type { Intakes } from './intakes.ts'
import type { Mender } from './mender.ts'
import type { MessageOf } from './messages.ts'
import type { MirrorEffect, SessionId } from './mirror-contract.ts'
import type { MirrorCounters } from './mirror-counters.ts'
import {
  consumed,
  type MirrorSession,
  type MirrorSessions,
  type Push,
  refuse,
  send,
} from './mirror-sessions.ts'
import { PushedCopy } from './pushed-copy.ts'
import type { EntriesVerifier } from './verify-entries.ts'

export interface PushParts {
  readonly intakes: Intakes
  readonly sessions: MirrorSessions
  readonly verifier: EntriesVerifier
  readonly mirror: Signer
  readonly counters: MirrorCounters
  /** Throws while nothing may be accepted. */
  checkAccepting(messageBytes: number): void
  /** Bytes that are held until the next commit. */
  owe(session: SessionId, bytes: number): void
  readonly mender: Mender
  /** The copy of a capsule can be replaced now; `ops` do it. */
  replace(name: CapsuleName, ops: readonly StoreOp[]): MirrorEffect[]
}

export class PushDesk {
  readonly #parts: PushParts

  constructor(parts: PushParts) {
    this.#parts = parts
  }

  /** @throws what refuses the push, for the peer to hear */
  begin(session: MirrorSession, message: MessageOf<'push'>): MirrorEffect[] {
    const { intakes, sessions } = this.#parts
    this.#parts.checkAccepting(0)
    const { id, name, branch } = message
    if (session.pushes.has(id)) {
      throw new ProtocolError('PROTOCOL_ERROR', 'a request id is used twice')
    }
    const signed = this.#parts.mender.isDamaged(name) ? intakes.manifest(name) : undefined
    if (signed !== undefined) return this.#beginCopy(session, message, signed)
    const intake = intakes.open(name, branch)
    intakes.checkBranch(intake.signed, name, branch)
    const push: Push = { session: session.id, id, name, branch, receiptSize: 0 }
    sessions.addPush(session, push)
    const head = intake.committedHead ?? null
    const have = send(session.id, { kind: 'have', id, head, size: intake.size })
    const due: MirrorEffect[] = intake.isStatementDue ? [{ type: 'request-cut' }] : []
    return [have, ...this.#receipt(push, intake), ...due]
  }

  /** Nothing is taken into what is damaged: what comes shows what the peer holds. */
  #beginCopy(
    session: MirrorSession,
    { id, name, branch }: MessageOf<'push'>,
    signed: SignedManifest,
  ): MirrorEffect[] {
    const { intakes, sessions, mender } = this.#parts
    if (intakes.isStating(name)) {
      throw new UnavailableError('OVERLOADED', 'a statement of this mirror is under way')
    }
    const wanted = mender.wanted(session.id, name, branch)
    if (wanted === undefined) {
      throw new UnavailableError('STORE_CORRUPT', 'a part of this capsule was lost here')
    }
    const copy = new PushedCopy(signed, branch, wanted)
    const push: Push = { session: session.id, id, name, branch, receiptSize: 0, copy }
    sessions.addPush(session, push)
    return [send(session.id, { kind: 'have', id, head: null, size: 0 })]
  }

  /** The message in the verifier's frame belongs to this push. */
  entries(session: MirrorSession, push: Push, message: Uint8Array): MirrorEffect[] {
    try {
      if (push.copy !== undefined) {
        return [consumed(session, message), ...this.#compare(session, push, push.copy)]
      }
      const intake = this.#parts.intakes.open(push.name, push.branch)
      this.#parts.checkAccepting(message.length)
      const head = intake.heads.open(this.#parts.verifier.frame.head)
      return this.#accept(session, push, intake, head, message)
    } catch (error) {
      if (error instanceof ProtocolError) throw error
      this.#parts.sessions.endPush(session, push)
      if (push.copy !== undefined) this.#parts.mender.notShown(session.id, push.name)
      return [this.#refuse(session, push, error), consumed(session, message)]
    }
  }

  #compare(session: MirrorSession, push: Push, copy: PushedCopy): MirrorEffect[] {
    const { mender, replace, verifier } = this.#parts
    if (copy.isWhole) return []
    copy.accept(verifier)
    if (!copy.isWhole) return []
    const ops = mender.shown(`session ${session.id}`, push.name, push.branch)
    return ops === undefined ? [] : replace(push.name, ops)
  }

  /** A group with entries of this branch is durable. */
  committed(intake: BranchIntake): MirrorEffect[] {
    const effects: MirrorEffect[] = []
    for (const push of this.#parts.sessions.pushesOf(intake.name, intake.branch)) {
      effects.push(...this.#receipt(push, intake))
    }
    return effects
  }

  /** The receipt of the head in force; undefined as long as a payload is missing. */
  receiptOf(intake: BranchIntake, id: number): MessageOf<'receipt'> | undefined {
    const stated = intake.statement
    const cosignature = intake.cosignature(this.#parts.mirror)
    if (stated === undefined || cosignature === undefined) return undefined
    const { size, root } = stated.head
    const { timeS, signature } = cosignature
    return { kind: 'receipt', id, size, root, timeS, signature }
  }

  #receipt(push: Push, intake: BranchIntake): MirrorEffect[] {
    const receipt = this.receiptOf(intake, push.id)
    if (receipt === undefined || receipt.size <= push.receiptSize) return []
    push.receiptSize = receipt.size
    this.#parts.counters.receipts++
    return [send(push.session, receipt)]
  }

  #refuse(session: MirrorSession, push: Push, error: unknown): MirrorEffect {
    this.#parts.counters.refused(error)
    return refuse(session.id, push.id, error)
  }

  #accept(
    session: MirrorSession,
    push: Push,
    intake: BranchIntake,
    head: Head,
    message: Uint8Array,
  ): MirrorEffect[] {
    const known = intake.committedHead
    if (known !== undefined && head.size <= known.size && !isSameHead(head, known)) {
      const verdict = judgeByTree(intake.signed.signed, known, head, intake.tiles, intake.nodes)
      if (verdict !== 'consistent') {
        return [...this.#convict(session, push, verdict), consumed(session, message)]
      }
    }
    let added: number
    try {
      added = intake.accept(this.#parts.verifier, head)
    } catch (error) {
      const isOther = error instanceof VerificationError && error.code === 'ROOT_MISMATCH'
      if (!isOther || known === undefined || head.size <= known.size) throw error
      if (!this.#parts.sessions.mayAsk(session)) throw error
      const asked = this.#askForProof(session, push, intake, [known, head], error)
      return [asked, consumed(session, message)]
    }
    if (added === 0) return [consumed(session, message)]
    this.#parts.owe(session.id, message.length)
    return [{ type: 'request-cut' }]
  }

  /** The head is signed but does not continue what is here: its tree may say why. */
  #askForProof(
    session: MirrorSession,
    push: Push,
    { signed, name, branch }: BranchIntake,
    [known, head]: readonly [Head, Head],
    error: VerificationError,
  ): MirrorEffect {
    this.#parts.sessions.endPush(session, push)
    const sizes = { oldSize: known.size, newSize: head.size }
    const question = { kind: 'consistency' as const, name, branch, ...sizes }
    return this.#parts.sessions.ask(session, question, (answer) => {
      const isPath = !(answer instanceof Uint8Array) && answer.kind === 'path'
      const judge = (): HeadVerdict =>
        isPath ? judgeByPath(signed.signed, known, head, answer.hashes) : 'consistent'
      return { effects: this.#judged(session, push, judge, error), isOver: true }
    })
  }

  #judged(
    session: MirrorSession,
    push: Push,
    judge: () => HeadVerdict,
    error: VerificationError,
  ): MirrorEffect[] {
    try {
      const verdict = judge()
      if (verdict !== 'consistent') return this.#convict(session, push, verdict)
      return [this.#refuse(session, push, error)]
    } catch (cause) {
      return [this.#refuse(session, push, cause)]
    }
  }

  #convict(
    session: MirrorSession,
    push: Push,
    { evidence }: Exclude<HeadVerdict, 'consistent'>,
  ): MirrorEffect[] {
    this.#parts.sessions.endPush(session, push)
    const message = 'the writer of this capsule signed two histories'
    return [
      { type: 'evidence', name: push.name, bytes: evidence },
      this.#refuse(session, push, new VerificationError('EQUIVOCATION', message)),
    ]
  }
}

function isSameHead(a: Head, b: Head): boolean {
  return a.size === b.size && bytesEqual(a.root, b.root)
}
