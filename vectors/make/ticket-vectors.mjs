/** Tickets, and every other spelling of them that must be refused. */
import { base32, concat, derived, filled, withSpareBits } from './bytes.mjs'
import { arrayItem, bytesItem, encode, textItem, uint } from './cbor.mjs'
import { key } from './keys.mjs'
import { VectorFile } from './vector-file.mjs'

const NAME = derived('ticket name', 32)
const TLS_KEY = key('ticket tls').publicKey
const ADDRESS = 'tls://node.example:7700'

const ticket = (fields) => 'longshore1' + base32(encode(fields))

const VALID = [
  ['one', 'one address', [ADDRESS]],
  ['ipv6', 'an address of IPv6 beside one of IPv4', ['tls://[2001:db8::1]:1', 'tls://10.0.0.1:1']],
  ['eight', 'as many addresses as there may be', Array(8).fill(ADDRESS)],
  ['memory', 'of a simulated network', ['mem://node-1']],
]

const good = [1, NAME, TLS_KEY, [ADDRESS]]
const text = ticket(good)

const INVALID = [
  ['empty', 'nothing', ''],
  ['prefix', 'nothing behind the prefix', 'longshore1'],
  ['no-prefix', 'without the prefix', text.slice('longshore1'.length)],
  ['other-prefix', 'another number in the prefix', text.replace('longshore1', 'longshore2')],
  ['uppercase', 'upper case', text.toUpperCase()],
  ['space', 'a space behind', `${text} `],
  ['newline', 'a line break behind', `${text}\n`],
  ['padding', 'padding', `${text}=`],
  ['cut', 'the last character missing', text.slice(0, -1)],
  ['longer', 'a character more', `${text}a`],
  ['version', 'version 2', ticket(good.with(0, 2))],
  ['three', 'no addresses', ticket(good.slice(0, 3))],
  ['five', 'a field more', ticket([...good, 0])],
  ['map', 'a map', ticket({ name: NAME })],
  ['name-31', 'a name of 31 bytes', ticket(good.with(1, NAME.slice(1)))],
  ['key-zero', 'a key of small order', ticket(good.with(2, filled(32, 0)))],
  ['key-31', 'a key of 31 bytes', ticket(good.with(2, TLS_KEY.slice(1)))],
  ['no-address', 'an empty list', ticket(good.with(3, []))],
  ['nine', 'nine addresses', ticket(good.with(3, Array(9).fill(ADDRESS)))],
  ['no-scheme', 'an address without a scheme', ticket(good.with(3, ['node.example:7700']))],
  ['no-place', 'an address with a scheme alone', ticket(good.with(3, ['tls://']))],
  ['escape', 'a control character', ticket(good.with(3, ['tls://a\u001b[2J:1']))],
  ['blank', 'a space in an address', ticket(good.with(3, ['tls://a b:1']))],
  ['long', 'an address of 271 characters', ticket(good.with(3, [`tls://${'a'.repeat(265)}`]))],
  [
    'long-number',
    'a version longer than needed',
    'longshore1' +
      base32(
        arrayItem([
          ...[uint(1, 1), bytesItem(NAME), bytesItem(TLS_KEY)],
          arrayItem([textItem(ADDRESS)]),
        ]),
      ),
  ],
  ['trailing', 'a byte behind', `longshore1${base32(concat(encode(good), filled(1, 0)))}`],
  ['huge', 'five thousand characters', `longshore1${'a'.repeat(5000)}`],
]

export function ticketVectors() {
  const file = new VectorFile(
    'ticket',
    'Tickets: text is the one spelling of name, key, addresses.',
  )
  for (const [id, comment, addresses] of VALID) {
    const fields = { name: NAME, tlsKey: TLS_KEY, addresses }
    file.valid(id, comment, { ...fields, text: ticket([1, NAME, TLS_KEY, addresses]) })
  }
  for (const [id, comment, bad] of INVALID) {
    file.invalid(`bad-${id}`, comment, 'TICKET_INVALID', { text: bad })
  }
  // 94 bytes leave three bits of the last character unused.
  const spare = ticket(good.with(3, [ADDRESS.slice(0, -1)]))
  for (const bits of [1, 2, 3]) {
    const fields = { text: withSpareBits(spare, bits) }
    file.invalid(`bad-spare-bits-${bits}`, 'spare bits that are not zero', 'TICKET_INVALID', fields)
  }
  return file
}
