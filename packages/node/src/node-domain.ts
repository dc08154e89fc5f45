/**
 * The trust domain that a node is in, as far as it can prove it.
 *
 * A membership that does not hold keeps nothing from running: without one the node is in no domain,
 * and says so. Only a node that was told which domain it has to be in does not start outside it.
 * Rules ND15 and ND16 of docs/spec/node.md.
 *
 * @module
 */
import {
  bytesEqual,
  type CapsuleName,
  formatName,
  isLongshoreError,
  type LongshoreError,
  UsageError,
  VerificationError,
} from '@longshore/capsule'
import type { Runtime } from '@longshore/engine'
import {
  type HeldMembership,
  openMembership,
  readMembershipFile,
  writeMembershipFile,
} from './membership-file.ts'
import type { NodeRole } from './node-settings.ts'

export interface NodeDomainOptions {
  readonly data: string
  readonly self: CapsuleName
  readonly roles: readonly NodeRole[]
  /** Any other is refused. */
  readonly required: CapsuleName | undefined
  readonly runtime: Runtime
}

export class NodeDomain {
  readonly #options: NodeDomainOptions
  #held: HeldMembership | undefined
  #error: LongshoreError | undefined

  /**
   * @throws {UsageError} `MEMBERSHIP_INVALID` if a domain is required and there is no membership.
   * @throws {VerificationError} `CERT_…` if a domain is required and the membership does not hold.
   */
  constructor(options: NodeDomainOptions) {
    this.#options = options
    try {
      const text = readMembershipFile(options.data)
      if (text !== undefined) this.#held = this.#open(text)
      else if (options.required !== undefined) throw membershipMissing(options)
    } catch (error) {
      if (!isLongshoreError(error) || options.required !== undefined) throw error
      this.#error = error
      const { code, message } = error
      options.runtime.log('warn', 'node.membership-unusable', { code, message })
    }
  }

  /** As it was verified last; it may have ended since. */
  get held(): HeldMembership | undefined {
    return this.#held
  }

  /** Why the membership in the data directory is not used. */
  get error(): LongshoreError | undefined {
    return this.#error
  }

  /** The domains of which the node is a member now. */
  get names(): readonly CapsuleName[] {
    const held = this.#held
    return held !== undefined && held.notAfterS >= this.#nowS ? [held.name] : []
  }

  /**
   * Verifies a membership and keeps it in place of the one before.
   *
   * @throws {UsageError} `MEMBERSHIP_INVALID`
   * @throws {VerificationError} `CERT_…`
   */
  join(text: string): HeldMembership {
    const held = this.#open(text)
    writeMembershipFile(this.#options.data, text)
    this.#held = held
    this.#error = undefined
    return held
  }

  #open(text: string): HeldMembership {
    const { self, roles, required } = this.#options
    const held = openMembership(text, self, roles, this.#nowS)
    if (required === undefined || bytesEqual(required, held.name)) return held
    const details = { domain: formatName(held.name), required: formatName(required) }
    throw new VerificationError('CERT_SCOPE', 'the membership is for another domain', details)
  }

  get #nowS(): number {
    return Math.floor(this.#options.runtime.nowUs() / 1_000_000)
  }
}

function membershipMissing({ self, required }: NodeDomainOptions): UsageError {
  const node = formatName(self)
  const domain = required === undefined ? '' : formatName(required)
  const message = `this node has no membership yet: have its domain admit ${node}`
  return new UsageError('MEMBERSHIP_INVALID', message, { node, domain })
}
