/**
 * `node.json` in a data directory: which node lives there, how others reach it, and where it
 * listens for its operator while it runs.
 *
 *     {"principal":"bafyrei…","ticket":"longshore1…","listen":["tls://…"],"http":"http://…",
 *      "control":"/…/control","pid":4711}
 *
 * It is no lock: of a node that was killed it says what was true last. Rule ND10 of
 * docs/spec/node.md.
 *
 * @module
 */
import fs from 'node:fs'
import { join } from 'node:path'
import { UnavailableError } from '@longshore/capsule'

const FILE = 'node.json'
const FILE_BYTES_MAX = 65_536

export interface NodeFile {
  readonly principal: string
  /** Null if nobody can dial it. */
  readonly ticket: string | null
  readonly listen: readonly string[]
  readonly http: string | null
  /** Path of the socket for `longshore node status` and its like. */
  readonly control: string
  readonly pid: number
}

export function writeNodeFile(data: string, file: NodeFile): void {
  const path = join(data, FILE)
  fs.writeFileSync(`${path}.new`, `${JSON.stringify(file)}\n`, { mode: 0o600 })
  fs.renameSync(`${path}.new`, path)
}

/** @throws {UnavailableError} `NOT_FOUND` if no node has run there. */
export function readNodeFile(data: string): NodeFile {
  try {
    const path = join(data, FILE)
    if (fs.statSync(path).size > FILE_BYTES_MAX) throw new Error('it is too long')
    const value = JSON.parse(fs.readFileSync(path, 'utf8')) as Partial<NodeFile> | null
    const { principal, ticket = null, listen, http = null, control, pid } = value ?? {}
    const isWhole = typeof principal === 'string' && typeof control === 'string'
    if (isWhole && Array.isArray(listen) && typeof pid === 'number') {
      return { principal, ticket, listen, http, control, pid }
    }
    throw new Error('something is missing in it')
  } catch (cause) {
    const message = `no node has run in ${data}`
    throw new UnavailableError('NOT_FOUND', message, { data }, { cause })
  }
}
