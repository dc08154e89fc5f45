/**
 * The contract that every store engine passes, as tests.
 *
 * It needs no test framework: the caller hands in the function that registers a test, such as
 * `test` of node:test. Titles begin with the rule ids of docs/spec/store.md and end with the name
 * of the engine.
 *
 * @example
 * runStoreContract('memory', () => createMemoryHarness(), test)
 *
 * @module
 */
import type { OpenHarness, RegisterTest } from './store-contract/harness.ts'
import { registerLifeTests } from './store-contract/life.ts'
import { registerPayloadTests } from './store-contract/payloads.ts'
import { registerRandomTests } from './store-contract/random.ts'
import { registerReadTests } from './store-contract/reads.ts'
import { registerRefusalTests } from './store-contract/refusals.ts'
import { registerRemovalTests } from './store-contract/removals.ts'
import { registerTransactionTests } from './store-contract/transactions.ts'

/**
 * Registers all tests of the contract. `open` gives each test a store of its own, empty.
 */
export function runStoreContract(name: string, open: OpenHarness, register: RegisterTest): void {
  const test: RegisterTest = (title, run) => register(`${title} (${name})`, run)
  registerTransactionTests(test, open)
  registerRefusalTests(test, open)
  registerPayloadTests(test, open)
  registerReadTests(test, open)
  registerRemovalTests(test, open)
  registerLifeTests(test, open)
  registerRandomTests(test, open)
}
