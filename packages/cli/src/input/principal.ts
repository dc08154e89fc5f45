/**
 * The name of a node or person, where a person may give a ticket instead.
 *
 * @module
 */
import {
  type CapsuleName,
  formatName,
  parseName,
  parseTicket,
  UsageError,
} from '@longshore/capsule'

/** @throws {UsageError} `NAME_INVALID`; `USAGE` for a ticket, with the name that is in it */
export function parsePrincipal(text: string): CapsuleName {
  if (text.startsWith('longshore1')) {
    const node = formatName(parseTicket(text).name)
    throw new UsageError('USAGE', `this is a ticket; the name of its node is ${node}`, { node })
  }
  if (text !== '') return parseName(text)
  throw new UsageError('USAGE', 'the name of the node is empty: is a variable of your shell?')
}
