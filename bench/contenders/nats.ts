/**
 * NATS JetStream, the rival that keeps streams: the server is Debian's `nats-server`, the client
 * comes from npm. One server, one copy, on disk; nothing is signed and nothing verified.
 *
 * By default it syncs every two minutes. Servers from 2.10 on can be told to sync before they
 * acknowledge.
 *
 * @module
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { Absent, Durability } from '../frame/row.ts'
import { loadRival } from './rivals.ts'

/** Where Debian has it is not on everybody's path. */
const SERVER = 'nats-server'
const PATH: string = [process.env['PATH'], '/usr/sbin'].join(delimiter)
/** Older messages of the stream go when it is larger. */
const STREAM_BYTES_MAX = 1_073_741_824
const STREAM = 'BENCH'
const SUBJECT = 'bench'
const PORT_LINE = /Listening for client connections on \S+:(\d+)/
const READY_LINE = /Server is ready/

export interface NatsServer {
  readonly name: string
  readonly durability: Durability
  /** For `connectNats`. */
  readonly url: string
  close(): Promise<void>
}

/** A server of its own with an empty stream, or why there is none. */
export async function startNats(
  directory: string,
  durability: 'durable' | 'not durable',
): Promise<NatsServer | Absent> {
  const version = serverVersion()
  const name = `nats-server ${version ?? ''}`.trim()
  const label = `${name}, ${durability}`
  const absent = (reason: string): Absent => ({ name: label, role: 'rival', absent: reason })
  if (version === undefined) return absent('it is not installed')
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const canSync = major > 2 || (major === 2 && minor >= 10)
  if (durability === 'durable' && !canSync)
    return absent('it can be told to sync from version 2.10 on')
  mkdirSync(directory, { recursive: true })
  const sync = durability === 'durable' ? 'sync_interval: always' : ''
  const config = join(directory, 'nats.conf')
  const store = JSON.stringify(join(directory, 'store'))
  writeFileSync(config, `listen: "127.0.0.1:-1"\njetstream { store_dir: ${store}\n${sync} }\n`)
  const server = spawn(SERVER, ['--config', config], {
    env: { ...process.env, PATH },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const stop = (): void => void server.kill()
  process.once('exit', stop)
  server.once('exit', () => process.off('exit', stop))
  const port = await portOf(server)
  // What it logs later is read and dropped: else it would wait for a reader.
  server.stderr.resume()
  return { name, durability, url: `nats://127.0.0.1:${port}`, close: () => ended(server) }
}

function serverVersion(): string | undefined {
  const { stdout } = spawnSync(SERVER, ['--version'], {
    env: { ...process.env, PATH },
    encoding: 'utf8',
  })
  return /v(\d+\.\d+\.\d+)/.exec(stdout ?? '')?.[1]
}

async function portOf({ stderr }: { readonly stderr: Readable }): Promise<number> {
  let port: number | undefined
  const lines: string[] = []
  for await (const line of createInterface({ input: stderr })) {
    lines.push(line)
    port ??= Number(PORT_LINE.exec(line)?.[1]) || undefined
    if (port !== undefined && READY_LINE.test(line)) return port
  }
  throw new Error(`nats-server did not start:\n${lines.join('\n')}`)
}

function ended(server: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    server.once('exit', () => resolve())
    server.kill()
  })
}

/** As far as the benchmark uses them. */
interface Connection {
  close(): Promise<void>
}
interface Message {
  readonly data: Uint8Array
}
interface Consumer {
  consume(): Promise<AsyncIterable<Message>>
}
interface JetStream {
  publish(subject: string, payload: Uint8Array): Promise<unknown>
  readonly consumers: {
    getPushConsumer(stream: string, options: { readonly deliver_policy: string }): Promise<Consumer>
  }
}
interface Manager {
  readonly streams: { add(config: Readonly<Record<string, unknown>>): Promise<unknown> }
}
interface TransportModule {
  connect(options: { readonly servers: string }): Promise<Connection>
}
interface JetStreamModule {
  jetstream(connection: Connection): JetStream
  jetstreamManager(connection: Connection): Promise<Manager>
}

export interface NatsClient {
  /** Resolves when the server has acknowledged. */
  publish(payload: Uint8Array): Promise<void>
  /** Resolves when an ordered consumer of what comes from now on is there. */
  follow(take: (payload: Uint8Array) => void): Promise<void>
}

export async function connectNats(url: string): Promise<NatsClient> {
  const { connect } = loadRival<TransportModule>('@nats-io/transport-node').module
  const { jetstream, jetstreamManager } = loadRival<JetStreamModule>('@nats-io/jetstream').module
  const connection = await connect({ servers: url })
  const { streams } = await jetstreamManager(connection)
  await streams.add({
    ...{ name: STREAM, subjects: [SUBJECT], storage: 'file', num_replicas: 1 },
    ...{ discard: 'old', max_bytes: STREAM_BYTES_MAX },
  })
  const js = jetstream(connection)
  return {
    publish: async (payload) => void (await js.publish(SUBJECT, payload)),
    follow: async (take) => {
      const consumer = await js.consumers.getPushConsumer(STREAM, { deliver_policy: 'new' })
      const messages = await consumer.consume()
      void (async () => {
        for await (const { data } of messages) take(data)
      })()
    },
  }
}
