/**
 * The shape of every vector file:
 *
 *     { "topic", "about", "cases": [ { "id", "comment", "valid", ("code",) ...fields } ] }
 *
 * Bytes are lower-case hex, text is text, integers are JSON numbers (at most 2^53 - 1). One case
 * per line, so that a changed case is one changed line in a diff. In long files long values are
 * abbreviated (abbreviate.mjs).
 */
import { Abbreviations } from './abbreviate.mjs'
import { hex } from './bytes.mjs'

/** Files up to this length are written in full. */
const PLAIN_CHARACTERS_MAX = 100_000

/** Collects cases; ids must be unique in the file, invalid cases must name their error code. */
export class VectorFile {
  constructor(topic, about) {
    this.topic = topic
    this.about = about
    this.cases = []
    this.ids = new Set()
  }

  valid(id, comment, fields) {
    this.add({ id, comment, valid: true, ...fields })
  }

  invalid(id, comment, code, fields) {
    if (typeof code !== 'string') throw new Error(`${this.topic} ${id}: no code`)
    this.add({ id, comment, valid: false, code, ...fields })
  }

  add(fields) {
    if (this.ids.has(fields.id)) throw new Error(`${this.topic}: two cases ${fields.id}`)
    this.ids.add(fields.id)
    this.cases.push(fields)
  }

  get fileName() {
    return `${this.topic}.json`
  }

  text() {
    const plain = this.cases.map((fields) => JSON.stringify(fields, bytesToHex))
    const isLong = plain.join('').length > PLAIN_CHARACTERS_MAX
    const lines = isLong ? abbreviate(plain.map((line) => JSON.parse(line))) : plain
    const cases = lines.map((line) => `    ${line}`)
    return [
      '{',
      `  "topic": ${JSON.stringify(this.topic)},`,
      `  "about": ${JSON.stringify(this.about)},`,
      '  "cases": [',
      cases.join(',\n'),
      '  ]',
      '}',
      '',
    ].join('\n')
  }
}

/** Cases as lines. The first valid and the first invalid one are samples, written in full. */
function abbreviate(cases) {
  const abbreviations = new Abbreviations()
  const samples = [true, false].map((valid) => cases.find((one) => one.valid === valid))
  return cases.map(({ id, comment, ...rest }) => {
    const mayBeLike = !samples.some((sample) => sample?.id === id)
    const fields = Object.entries(rest).map(([field, value]) => {
      return [field, abbreviations.abbreviate(id, field, value, mayBeLike)]
    })
    return JSON.stringify({ id, comment, ...Object.fromEntries(fields) })
  })
}

function bytesToHex(_key, value) {
  return value instanceof Uint8Array ? hex(value) : value
}
