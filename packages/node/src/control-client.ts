/**
 * The other end of `control-server.ts`: what commands ask a node that runs.
 *
 * @module
 */
import { request } from 'node:http'
import {
  ERROR_CODES,
  type ErrorCode,
  ProtocolError,
  UnavailableError,
  UsageError,
  VerificationError,
} from '@longshore/capsule'
import { readNodeFile } from './node-file.ts'

/** A node that runs answers within milliseconds; one that was stopped never does. */
const ANSWER_MS_MAX = 30_000
/** The status of a node with very many links. */
const ANSWER_BYTES_MAX = 67_108_864

/**
 * Asks the node of a data directory.
 *
 * @throws {UnavailableError} `NOT_FOUND` if no node has run there, `NODE_NOT_RUNNING`
 * @throws what the node throws, with its code, message and details.
 */
export async function askNode(data: string, call: string, body?: object): Promise<object> {
  const { control } = readNodeFile(data)
  const { status, text } = await exchange(control, call, body).catch((cause: Error) => {
    const message = `no node is running in ${data}`
    throw new UnavailableError('NODE_NOT_RUNNING', message, { data }, { cause })
  })
  const value = JSON.parse(text)
  if (status === 200) return value
  throw toError(value)
}

function exchange(
  socketPath: string,
  call: string,
  body: object | undefined,
): Promise<{ readonly status: number; readonly text: string }> {
  const [method = '', path = ''] = call.split(' ')
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath, method, path, timeout: ANSWER_MS_MAX }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (piece: string) => {
        text += piece
        if (text.length > ANSWER_BYTES_MAX) asking.destroy(new Error('the answer is too long'))
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
      response.on('error', reject)
    })
    asking.on('timeout', () => asking.destroy(new Error('no answer')))
    asking.on('error', reject)
    asking.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

const CLASSES = { ProtocolError, UnavailableError, UsageError, VerificationError }

function toError({ code, message, details }: ReceivedError): Error {
  const known = ERROR_CODES[code as ErrorCode]
  if (known === undefined) return new UnavailableError('NODE_NOT_RUNNING', message)
  const ErrorOfClass = CLASSES[known.class] as new (
    code: ErrorCode,
    message: string,
    details: ReceivedError['details'],
  ) => Error
  return new ErrorOfClass(code as ErrorCode, message, details)
}

interface ReceivedError {
  readonly code: string
  readonly message: string
  readonly details: Readonly<Record<string, string | number>>
}
