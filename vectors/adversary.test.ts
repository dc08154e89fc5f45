/**
 * The adversary: every field of everything that is signed or proven, changed in every way that we
 * could think of, and verifiers with planted bugs that the suite must catch.
 *
 * A mutant passes if it is refused with one of our errors, or if it still says what the original
 * says (or less: RC11). It fails if it is believed, or if the verifier crashes.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Attack, truthsOf } from './adversary/attack.ts'
import { knownLies, mutateReceipt, ORIGINALS } from './adversary/receipt-mutants.ts'
import {
  composeReceiptVerifier,
  PLANTED_BUGS,
  readReceipt,
  SOUND_CHECKS,
} from './adversary/receipt-verifier.ts'

type ReadReceipt = typeof readReceipt

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

/**
 * Shows a verifier all that the suite knows about receipts of these forms, lies of whole parts
 * first; with `untilBelieved` no more than it takes to find that the verifier is wrong.
 */
function attackReceipts(
  name: string,
  read: ReadReceipt,
  forms: readonly string[],
  bits: readonly number[],
  untilBelieved = false,
): Attack {
  const attack = new Attack(name)
  const statements = [...ORIGINALS.values()].map((receipt) => read(encode(receipt)))
  const known = truthsOf(statements)
  for (const { what, value } of knownLies()) attack.attempt(what, known, () => read(value))
  for (const id of forms) {
    const receipt = ORIGINALS.get(id)
    assert.ok(receipt !== undefined, id)
    const { says } = read(encode(receipt))
    const truths = truthsOf(statements.filter((statement) => statement.says === says))
    for (const { what, value } of mutateReceipt(id, receipt, bits)) {
      attack.attempt(`${id}: ${what}`, truths, () => read(value))
      if (untilBelieved && attack.believed.length > 0) return attack
    }
  }
  return attack
}

test('RC2 RC4 RC5 RC6 RC7 RC8 RC11: no changed receipt is believed', () => {
  for (const [id, bits] of [
    ['entry-2-of-7', [0, 5, 7]],
    ['entry-1-of-2', [1]],
    ['branch', [2]],
    ['heartbeat', [3]],
    ['cosigners', [0]],
    ['mirror', [1]],
    ['writer-changed', [6]],
    ['erase', [4]],
  ] as const) {
    attackReceipts(`receipt ${id}`, readReceipt, [id], bits).check()
  }
})

const FORMS = ['entry-2-of-7', 'heartbeat']

test('the suite finds nothing in a verifier made of sound parts', () => {
  const read = composeReceiptVerifier(SOUND_CHECKS)
  attackReceipts('sound parts', read, FORMS, [0]).check()
})

for (const [name, checks] of PLANTED_BUGS) {
  test(`the suite catches a verifier that ignores ${name}`, () => {
    const verifier = composeReceiptVerifier(checks)
    const attack = attackReceipts(`without ${name}`, verifier, FORMS, [0], true)
    const [first = ''] = attack.believed
    console.log(`${attack.summary()}; believed: ${first}`)
    assert.ok(attack.believed.length > 0)
  })
}
