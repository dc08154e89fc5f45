/**
 * The trust domains of the federation. Each has a home of its own, with the key that admits nodes;
 * it is open only while a node is admitted, as with `longshore domain admit`.
 *
 * @module
 */
import { join } from 'node:path'
import { type CapsuleName, formatName } from '@longshore/capsule'
import { openHome } from '@longshore/client/node'
import { DOMAIN_LABELS, type DomainLabel } from './plan.ts'

const MEMBERSHIP_S = 365 * 86_400

export class Domains {
  readonly #path: string
  readonly #names = new Map<DomainLabel, CapsuleName>()

  /** `path`: directory with a home for each domain. */
  constructor(path: string) {
    this.#path = path
  }

  /** Finds the domains of an earlier start, or makes them. */
  async open(): Promise<void> {
    for (const label of DOMAIN_LABELS) {
      await using home = await openHome({ path: this.#homePath(label) })
      const known = (await home.list()).find(({ type }) => type === 'domain')
      const { name } = known ?? (await home.createIdentity({ type: 'domain', label }))
      this.#names.set(label, name)
    }
  }

  get names(): readonly string[] {
    return [...this.#names.values()].map(formatName)
  }

  name(label: DomainLabel): CapsuleName {
    return this.#names.get(label) as CapsuleName
  }

  /** What the operator of the node gives to it with `longshore node join-domain`. */
  async admit(label: DomainLabel, subject: CapsuleName): Promise<string> {
    await using home = await openHome({ path: this.#homePath(label), readOnly: true })
    const notAfterS = Math.floor(Date.now() / 1000) + MEMBERSHIP_S
    return home.admit({ domain: this.name(label), subject, notAfterS })
  }

  #homePath(label: DomainLabel): string {
    return join(this.#path, label)
  }
}
