/**
 * Tickets against vectors/ticket.json.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import {
  asCapsuleName,
  asPublicKey,
  formatBase32,
  formatTicket,
  parseTicket,
} from '@longshore/capsule'
import { bytesOf, checkCases, hexOf, readVectors } from './read-vectors.ts'
import { assertRefused } from './refusals.ts'

interface TicketFields {
  readonly name: string
  readonly tlsKey: string
  readonly addresses: readonly string[]
  readonly text: string
}

const cases = readVectors<TicketFields>('ticket')

test('TK1 TK2: a ticket has one text', () => {
  checkCases(
    cases.filter(({ valid }) => valid),
    ({ name, tlsKey, addresses, text }) => {
      const ticket = { name: asCapsuleName(bytesOf(name)), tlsKey: asPublicKey(bytesOf(tlsKey)) }
      assert.equal(formatTicket({ ...ticket, addresses }), text)
      const parsed = parseTicket(text)
      assert.deepEqual([hexOf(parsed.name), hexOf(parsed.tlsKey)], [name, tlsKey])
      assert.deepEqual(parsed.addresses, addresses)
    },
  )
})

test('TK3 TK4: every other text is refused', () => {
  checkCases(
    cases.filter(({ valid }) => !valid),
    (vector) => assertRefused(vector, () => parseTicket(vector.text)),
  )
})

test('TK4: a ticket that could not be read back is not written', () => {
  const ticket = {
    name: asCapsuleName(new Uint8Array(32)),
    tlsKey: asPublicKey(new Uint8Array(32)),
  }
  for (const addresses of [[], ['no scheme'], ['tls://a']]) {
    assert.throws(() => formatTicket({ ...ticket, addresses }), { code: 'TICKET_INVALID' })
  }
})

test('TK1: the example in ticket.md', () => {
  const path = new URL('../docs/spec/ticket.md', import.meta.url)
  const block = readFileSync(path, 'utf8').split('```text ticket\n')[1]?.split('\n```')[0] ?? ''
  const hex = block.split('\n').map((line) => line.split(/ {3,}/)[0]?.replaceAll(' ', ''))
  const { name, tlsKey, addresses } = parseTicket(
    `longshore1${formatBase32(bytesOf(hex.join('')))}`,
  )
  assert.deepEqual(new Set(name), new Set([1]))
  assert.ok(hexOf(tlsKey).startsWith('d75a9801'))
  assert.deepEqual(addresses, ['tls://a:7700'])
})
