/**
 * The shape of every vector file:
 *
 *     { "topic", "about", "cases": [ { "id", "comment", "valid", ("code",) ...fields } ] }
 *
 * Bytes are lower-case hex, text is text, integers are JSON numbers (at most 2^53 - 1). One case
 * per line, so that a changed case is one changed line in a diff.
 */
import { hex } from './bytes.mjs'

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
    const cases = this.cases.map((fields) => `    ${JSON.stringify(fields, bytesToHex)}`)
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

function bytesToHex(_key, value) {
  return value instanceof Uint8Array ? hex(value) : value
}
