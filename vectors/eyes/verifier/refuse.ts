/**
 * The one way in which this verifier says no.
 *
 * Everything in this directory is a second opinion: it was written from RFC 8949 (CBOR), RFC 9052
 * (COSE), RFC 9162 (trees), RFC 8032 (Ed25519), the C2SP texts and our format decisions, and it
 * imports nothing of the product.
 *
 * @module
 */

export class Refused extends Error {
  override readonly name = 'Refused'
}

export function refuse(reason: string): never {
  throw new Refused(reason)
}

export function require(condition: boolean, reason: string): asserts condition {
  if (!condition) refuse(reason)
}
