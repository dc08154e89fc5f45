/**
 * Messages over bare TLS, synced where ours are: the limit of delays.
 *
 *     bare-path.ts relay                  from the writer to the store, from there to the follower
 *     bare-path.ts store FILE [PORT]      syncs each message; with the port of a relay it sends it
 *                                         on, else it listens and answers with it
 *     bare-path.ts writer FILE PORT       syncs each message first
 *     bare-path.ts follower PORT
 *
 * @module
 */
import type { TLSSocket } from 'node:tls'
import { BareSync } from '../contenders/bare-log.ts'
import { rateOf } from '../frame/measure.ts'
import { dialTls, listenTls } from './bare-tls.ts'
import { answerCommands } from './command.ts'
import { Delays, stamped, stampOf } from './delays.ts'

/** About what an entry of 100 bytes takes with its head. */
const MESSAGE_BYTES = 256
const ROLES = ['writer', 'store', 'follower'] as const
type Role = (typeof ROLES)[number]

const [role, ...args] = process.argv.slice(2)
const delays = new Delays()
/** Who waits for the next message of the other end. */
let onAnswer = (): void => {}

function eachMessage(socket: TLSSocket, take: (message: Buffer) => void): void {
  let waiting = Buffer.alloc(0)
  socket.on('data', (bytes) => {
    waiting = Buffer.concat([waiting, bytes])
    while (waiting.length >= MESSAGE_BYTES) {
      take(waiting.subarray(0, MESSAGE_BYTES))
      waiting = waiting.subarray(MESSAGE_BYTES)
    }
  })
}

/** Says who it is; resolves when the other end has heard it. */
async function join(port: number, as: Role, take: (message: Buffer) => void): Promise<TLSSocket> {
  const socket = dialTls(port)
  let isIn = false
  await new Promise<void>((resolve) => {
    eachMessage(socket, (message) => {
      if (isIn) take(message)
      isIn = true
      resolve()
    })
    socket.write(Buffer.alloc(MESSAGE_BYTES, ROLES.indexOf(as)))
  })
  return socket
}

/** The first message of a connection says who it is, and goes back. */
function listen(take: (from: Role, message: Buffer, socket: TLSSocket) => void): Promise<number> {
  return listenTls((socket) => {
    let from: Role | undefined
    eachMessage(socket, (message) => {
      if (from !== undefined) {
        take(from, message, socket)
        return
      }
      from = ROLES[message[0] as number] as Role
      sockets.set(from, socket)
      socket.write(message)
    })
  })
}

const sockets = new Map<Role, TLSSocket>()

async function startStore(file: string, relay: string | undefined): Promise<number> {
  const disk = new BareSync(file)
  if (relay === undefined) {
    return listen((_from, message, socket) => {
      disk.write()
      socket.write(message)
    })
  }
  const socket = await join(Number(relay), 'store', (message) => {
    disk.write()
    socket.write(message)
  })
  return 0
}

async function startWriter(file: string, port: string): Promise<void> {
  const disk = new BareSync(file)
  const socket = await join(Number(port), 'writer', () => onAnswer())
  const send = (): void => {
    const message = stamped(MESSAGE_BYTES)
    disk.write()
    socket.write(message)
  }
  answerCommands({
    stamp: send,
    /** One at a time, each until the store has answered; how many in a second. */
    appends: ({ windowMs }: { windowMs: number }) =>
      rateOf(windowMs, 1, async () => {
        const answered = new Promise<void>((resolve) => {
          onAnswer = resolve
        })
        send()
        await answered
      }),
  })
}

switch (role) {
  case 'relay': {
    const port = await listen((from, message) => {
      sockets.get(from === 'writer' ? 'store' : 'follower')?.write(message)
    })
    answerCommands({ port: () => port })
    break
  }
  case 'store': {
    const port = await startStore(args[0] ?? '', args[1])
    answerCommands({ port: () => port })
    break
  }
  case 'writer':
    await startWriter(args[0] ?? '', args[1] ?? '')
    break
  case 'follower':
    await join(Number(args[0]), 'follower', (message) => delays.delivered(stampOf(message)))
    answerCommands({ delay: () => delays.next() })
}
