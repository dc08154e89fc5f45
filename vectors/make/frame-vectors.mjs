/** Frames of the overlay: one of each type, and what must be refused. */
import { bigEndian, concat, derived, filled, utf8 } from './bytes.mjs'
import { arrayItem, bytesItem, encode, textItem, uint } from './cbor.mjs'
import { VectorFile } from './vector-file.mjs'

const A = derived('frame name a', 32)
const B = derived('frame name b', 32)
const C = derived('frame name c', 32)
const NONCE = derived('frame nonce', 32)
const MANIFEST = derived('frame manifest', 40)
const CERT = derived('frame certificate', 50)
const CHAIN = derived('frame chain', 60)

const frame = (type, ...parts) => {
  const body = concat(...parts)
  return concat(bigEndian(1 + body.length, 4), Uint8Array.of(type), body)
}
const control = (type, value) => frame(type, encode(value))

const [LOW, HIGH] = Buffer.compare(A, B) < 0 ? [A, B] : [B, A]

const GROUP_FIELDS = {
  chain: CHAIN,
  membership: { domain: C, chain: CHAIN },
  rtCerts: [CERT],
  rtManifests: [MANIFEST],
  names: [{ signedManifest: MANIFEST, costUs: 1500 }],
}
const GROUP = [CHAIN, [C, CHAIN], [CERT], [MANIFEST], [[MANIFEST, 1500]]]
const OWN_FIELDS = { ...GROUP_FIELDS, chain: null, membership: null }
const OWN = [null, null, [CERT], [MANIFEST], [[MANIFEST, 1500]]]

const data = (flags, hops, destination, source, payload) => ({
  bytes: frame(0x10, Uint8Array.of(flags, hops), destination, source, payload),
  fields: { flags, hops, destination, source, payload },
})

const HELLO_FIELDS = {
  ...{ versionMin: 1, versionMax: 1, nonce: NONCE, signedManifest: MANIFEST, isRouter: true },
  ...{ membership: { domain: C, chain: CHAIN }, addresses: ['tls://router.example:7700'] },
}
const HELLO = [1, 1, NONCE, MANIFEST, ['router'], [C, CHAIN], ['tls://router.example:7700']]

const VALID = [
  ['hello', 'of a router in a domain', { bytes: control(0x01, HELLO), fields: HELLO_FIELDS }],
  [
    'hello',
    'of a node that is nothing but a node',
    {
      bytes: control(0x01, [1, 2, NONCE, MANIFEST, [], null, []]),
      fields: { ...HELLO_FIELDS, versionMax: 2, isRouter: false, membership: null, addresses: [] },
    },
  ],
  [
    'goodbye',
    'with a reason',
    {
      bytes: control(0x02, ['PEER_LOST', 'no hello in time']),
      fields: { code: 'PEER_LOST', message: 'no hello in time' },
    },
  ],
  ['goodbye', 'without', { bytes: control(0x02, [null, '']), fields: { code: null, message: '' } }],
  ['ping', 'number 7', { bytes: frame(0x03, bigEndian(7, 4)), fields: { number: 7 } }],
  ['pong', 'its answer', { bytes: frame(0x04, bigEndian(7, 4)), fields: { number: 7 } }],
  ['data', 'urgent', data(0, 32, A, B, utf8('hello'))],
  ['data', 'bulk, without payload', data(1, 1, A, B, new Uint8Array(0))],
  [
    'labelled',
    'label 258',
    {
      bytes: frame(0x11, Uint8Array.of(1, 31), bigEndian(258, 4), utf8('hello')),
      fields: { flags: 1, hops: 31, label: 258, payload: utf8('hello') },
    },
  ],
  [
    'label',
    'label 1',
    {
      bytes: frame(0x12, bigEndian(1, 4), A, B),
      fields: { label: 1, destination: A, source: B },
    },
  ],
  ['retire', 'label 1', { bytes: frame(0x13, bigEndian(1, 4)), fields: { number: 1 } }],
  ...['NO_ROUTE', 'POLICY_REFUSED', 'HOPS_EXCEEDED'].map((code, i) => [
    'unreachable',
    code,
    {
      bytes: frame(0x14, Uint8Array.of(0, 9), A, B, C, Uint8Array.of(1 + i), utf8('why')),
      fields: { hops: 9, source: A, destination: B, by: C, code, message: 'why' },
    },
  ]),
  [
    'published',
    'by a mirror',
    {
      bytes: frame(0x15, Uint8Array.of(0, 32), A, B, utf8('head')),
      fields: { flags: 0, hops: 32, destination: A, source: B, payload: utf8('head') },
    },
  ],
  [
    'advertise',
    'a capsule and a name of its own',
    {
      bytes: control(0x20, [3, CERT, [GROUP, OWN]]),
      fields: { request: 3, statement: CERT, groups: [GROUP_FIELDS, OWN_FIELDS] },
    },
  ],
  [
    'advertised',
    'one installed, one refused',
    {
      bytes: control(0x21, [
        3,
        [
          [A, null, 1790000000],
          [B, 'CERT_CHAIN', 0],
        ],
      ]),
      fields: {
        request: 3,
        names: [
          { name: A, code: null, expiresS: 1790000000 },
          { name: B, code: 'CERT_CHAIN', expiresS: 0 },
        ],
      },
    },
  ],
  [
    'withdraw',
    'two names',
    { bytes: control(0x22, [[LOW, HIGH]]), fields: { names: [LOW, HIGH] } },
  ],
  [
    'lookup',
    'eight routers far',
    { bytes: control(0x23, [5, A, 8]), fields: { request: 5, name: A, hopsLeft: 8 } },
  ],
  [
    'found',
    'an entry',
    {
      bytes: control(0x24, [5, null, [GROUP]]),
      fields: { request: 5, code: null, entries: [GROUP_FIELDS] },
    },
  ],
  [
    'found',
    'none',
    {
      bytes: control(0x24, [5, 'NO_ROUTE', []]),
      fields: { request: 5, code: 'NO_ROUTE', entries: [] },
    },
  ],
  ['subscribe', 'a name', { bytes: control(0x25, [[A]]), fields: { names: [A] } }],
  ['unsubscribe', 'a name', { bytes: control(0x26, [[A]]), fields: { names: [A] } }],
  ['gap', 'a name', { bytes: control(0x27, [[A]]), fields: { names: [A] } }],
  [
    'trace',
    'a question',
    { bytes: control(0x28, [6, A, 32]), fields: { request: 6, name: A, hopsLeft: 32 } },
  ],
  [
    'traced',
    'two hops',
    {
      bytes: control(0x29, [
        6,
        null,
        [
          [B, C, 250, NONCE],
          [A, null, 0, null],
        ],
      ]),
      fields: {
        ...{ request: 6, code: null },
        hops: [
          { principal: B, domain: C, costUs: 250, evidence: NONCE },
          { principal: A, domain: null, costUs: 0, evidence: null },
        ],
      },
    },
  ],
]

const good = data(0, 32, A, B, utf8('hello')).bytes

const INVALID = [
  ['empty', 'nothing', new Uint8Array(0)],
  ['length-0', 'a length of 0', new Uint8Array(5)],
  ['length-max', 'a length above 1 MiB', concat(bigEndian(1048577, 4), filled(8, 3))],
  ['cut', 'the last byte missing', good.slice(0, -1)],
  ['two', 'a byte after the frame', concat(good, filled(1, 0))],
  ['type', 'an unknown type', frame(0x7f, filled(4, 0))],
  ['type-0', 'type 0', frame(0x00, filled(4, 0))],
  ['flag', 'an unknown flag', frame(0x10, Uint8Array.of(2, 32), A, B)],
  ['data-short', 'data without a whole source', frame(0x10, Uint8Array.of(0, 32), A, B.slice(1))],
  ['labelled-short', 'a label of three bytes', frame(0x11, Uint8Array.of(0, 32), filled(3, 0))],
  ['label-long', 'a byte after a label', frame(0x12, bigEndian(1, 4), A, B, filled(1, 0))],
  ['retire-short', 'a label of three bytes', frame(0x13, filled(3, 0))],
  ['ping-long', 'a ping of five bytes', frame(0x03, filled(5, 0))],
  [
    'unreachable-code',
    'an unknown reason',
    frame(0x14, Uint8Array.of(0, 9), A, B, C, Uint8Array.of(4)),
  ],
  [
    'unreachable-escape',
    'a message with a control character',
    frame(0x14, Uint8Array.of(0, 9), A, B, C, Uint8Array.of(1, 0x1b)),
  ],
  [
    'unreachable-long',
    'a message of 257 bytes',
    frame(0x14, Uint8Array.of(0, 9), A, B, C, Uint8Array.of(1), filled(257, 0x61)),
  ],
  ['hello-map', 'a map', control(0x01, { v: 1 })],
  ['hello-six', 'a field too few', control(0x01, HELLO.slice(0, -1))],
  ['hello-role', 'an unknown role', control(0x01, HELLO.with(4, ['king']))],
  ['hello-nonce', 'a nonce of 31 bytes', control(0x01, HELLO.with(2, NONCE.slice(1)))],
  ['hello-address', 'a line break in an address', control(0x01, HELLO.with(6, ['tls://a\n']))],
  ['hello-addresses', 'nine addresses', control(0x01, HELLO.with(6, Array(9).fill('tls://a')))],
  [
    'hello-long-number',
    'a number longer than needed',
    frame(
      0x01,
      arrayItem([
        ...[uint(1, 1), uint(1), bytesItem(NONCE), bytesItem(MANIFEST), arrayItem([])],
        ...[Uint8Array.of(0xf6), arrayItem([])],
      ]),
    ),
  ],
  ['goodbye-code', 'an unknown code', control(0x02, ['BORED', ''])],
  ['goodbye-float', 'trailing bytes', frame(0x02, encode([null, '']), filled(1, 0))],
  [
    'goodbye-utf8',
    'a message that is not ASCII',
    frame(0x02, arrayItem([Uint8Array.of(0xf6), textItem('tschüss')])),
  ],
  ['withdraw-order', 'names out of order', control(0x22, [[HIGH, LOW]])],
  ['withdraw-twice', 'a name twice', control(0x22, [[A, A]])],
  ['withdraw-short', 'a name of 31 bytes', control(0x22, [[A.slice(1)]])],
  ['lookup-hops', 'a hop limit above 64', control(0x23, [5, A, 65])],
  ['lookup-request', 'a request above 32 bits', control(0x23, [4294967296, A, 8])],
  ['found-both', 'entries and a reason', control(0x24, [5, 'NO_ROUTE', [GROUP]])],
  ['found-neither', 'neither entries nor a reason', control(0x24, [5, null, []])],
  ['found-nine', 'nine entries', control(0x24, [5, null, Array(9).fill(GROUP)])],
  ['advertise-cost', 'a cost above 32 bits', control(0x20, [1, CERT, [cost(4294967296)]])],
  ['advertise-certs', 'nine RtCerts', control(0x20, [1, CERT, [OWN.with(2, Array(9).fill(CERT))]])],
]

function cost(costUs) {
  return OWN.with(4, [[MANIFEST, costUs]])
}

export function frameVectors() {
  const file = new VectorFile(
    'frame',
    'Frames of the overlay. bytes is one whole frame; type and fields are what it says. Certificates and manifests in them are arbitrary bytes: a frame is judged by its shape.',
  )
  for (const [at, [type, comment, { bytes, fields }]] of VALID.entries()) {
    file.valid(`${type}-${at}`, comment, { type, bytes, fields })
  }
  for (const [id, comment, bytes] of INVALID) {
    file.invalid(`bad-${id}`, comment, 'FRAME_INVALID', { bytes })
  }
  return file
}
