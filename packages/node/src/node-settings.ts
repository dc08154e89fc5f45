/**
 * What an operator says about a node, on the command line or in a file, and what it means.
 *
 *     {
 *       "data": "/var/lib/longshore",
 *       "listen": ["tls://[::]:4747"],
 *       "announce": ["tls://mirror.example.org:4747"],
 *       "http": "127.0.0.1:8080",
 *       "join": ["longshore1…"],
 *       "roles": ["mirror", "gateway"],
 *       "domain": "bafyrei…",
 *       "quota": "200G"
 *     }
 *
 * The file is one JSON object with these keys, all optional and no other. What the command line
 * says replaces what the file says under the same key. Rule ND19 of docs/spec/node.md.
 *
 * @module
 */
import fs from 'node:fs'
import { dirname, resolve } from 'node:path'
import {
  type CapsuleName,
  isLongshoreError,
  parseName,
  parseTicket,
  type Ticket,
  UsageError,
} from '@longshore/capsule'
import { fileUnreadable } from '@longshore/client/node'
import { parseAddress } from '@longshore/engine/node'
import { parseHttpAddress } from './http-gateway.ts'

export type NodeRole = 'gateway' | 'mirror' | 'router'

const NODE_ROLES: readonly NodeRole[] = ['gateway', 'mirror', 'router']

/** As text, each kind of value spelt as on the command line. */
export interface NodeSettings {
  readonly data?: string
  readonly listen?: readonly string[]
  readonly announce?: readonly string[]
  readonly http?: string
  readonly join?: readonly string[]
  readonly roles?: readonly string[]
  readonly domain?: string
  readonly quota?: string
}

/** What the settings mean. */
export interface NodePlan {
  /** Absolute. */
  readonly data: string
  readonly listen: readonly string[]
  /** Where others dial this node, if that is not where it listens. */
  readonly announce: readonly string[]
  readonly http: string | undefined
  readonly join: readonly Ticket[]
  readonly roles: readonly NodeRole[]
  /** The node must be a member of it. */
  readonly domain: CapsuleName | undefined
  /** Bytes that the store may take. */
  readonly quotaBytes: number | undefined
}

const FILE_BYTES_MAX = 1_048_576
const TEXTS: ReadonlySet<string> = new Set(['data', 'http', 'domain', 'quota'])
const LISTS: ReadonlySet<string> = new Set(['listen', 'announce', 'join', 'roles'])
const SIZE_UNITS: Readonly<Record<string, number>> = {
  ...{ '': 1, K: 1024, M: 1024 ** 2 },
  ...{ G: 1024 ** 3, T: 1024 ** 4 },
}

/**
 * The settings in a file. A relative `data` is below the file's directory.
 *
 * @throws {UsageError} `FILE_UNREADABLE`, `CONFIG_INVALID`
 */
export function readSettingsFile(path: string): NodeSettings {
  let text: string
  try {
    const { size } = fs.statSync(path)
    if (size > FILE_BYTES_MAX) throw configInvalid(path, 'it has more than 1 MiB')
    text = fs.readFileSync(path, 'utf8')
  } catch (error) {
    if (isLongshoreError(error)) throw error
    throw fileUnreadable(path, error)
  }
  const settings = checkSettings(path, parseJson(path, text))
  if (settings.data === undefined) return settings
  return { ...settings, data: resolve(dirname(path), settings.data) }
}

/** @throws {UsageError} `USAGE`, `TICKET_INVALID`, `NAME_INVALID` for what means nothing. */
export function planNode(settings: NodeSettings): NodePlan {
  const { data, listen = [], announce = [], http, join = [], domain, quota } = settings
  if (data === undefined || data === '') {
    throw new UsageError('USAGE', 'a node needs a data directory: say --data DIR')
  }
  for (const address of [...listen, ...announce]) parseAddress(address)
  if (http !== undefined) parseHttpAddress(http)
  const roles = planRoles(settings.roles, http !== undefined)
  return {
    data: resolve(data),
    listen,
    announce,
    http,
    join: join.map(parseTicket),
    roles,
    domain: domain === undefined ? undefined : parseName(domain),
    quotaBytes: quota === undefined ? undefined : parseQuota(quota),
  }
}

/** Without a word about roles a node is a mirror, and a gateway if it has an HTTP address. */
function planRoles(given: readonly string[] | undefined, hasHttp: boolean): NodeRole[] {
  const roles = given ?? (hasHttp ? ['mirror', 'gateway'] : ['mirror'])
  const known = roles.map((role) => {
    const found = NODE_ROLES.find((candidate) => candidate === role)
    if (found !== undefined) return found
    const message = `${JSON.stringify(role)} is no role; there are ${NODE_ROLES.join(', ')}`
    throw new UsageError('USAGE', message, { role })
  })
  if (known.includes('gateway') && !hasHttp) {
    throw new UsageError('USAGE', 'the role gateway needs an HTTP address: say --http HOST:PORT')
  }
  return [...new Set(known)].sort()
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw configInvalid(path, (cause as Error).message)
  }
}

function checkSettings(path: string, value: unknown): NodeSettings {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw configInvalid(path, 'it is no JSON object')
  }
  for (const [key, item] of Object.entries(value)) {
    const isText = TEXTS.has(key) && typeof item === 'string'
    const isList = LISTS.has(key) && Array.isArray(item)
    if (isText || (isList && item.every((word) => typeof word === 'string'))) continue
    if (TEXTS.has(key)) throw configInvalid(path, `"${key}" has to be a text`)
    if (LISTS.has(key)) throw configInvalid(path, `"${key}" has to be a list of texts`)
    throw configInvalid(path, `there is no setting ${JSON.stringify(key)}`)
  }
  return value
}

function configInvalid(path: string, why: string): UsageError {
  return new UsageError('CONFIG_INVALID', `${path} cannot be understood: ${why}`, { path })
}

function parseQuota(text: string): number {
  const match = /^([1-9][0-9]{0,15})([KMGT]?)$/.exec(text)
  const bytes = Number(match?.[1]) * (SIZE_UNITS[match?.[2] ?? ''] ?? 1)
  if (Number.isSafeInteger(bytes)) return bytes
  const message = `${JSON.stringify(text)} is no number of bytes like 512M, 200G or 2T`
  throw new UsageError('USAGE', message, { quota: text })
}
