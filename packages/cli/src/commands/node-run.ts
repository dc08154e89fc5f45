/**
 * `longshore node run`: a node, until it is told to stop.
 *
 * @module
 */
import { formatName, formatTicket, UsageError } from '@longshore/capsule'
import {
  createNodeLog,
  type LogLevel,
  LongshoreNode,
  type NodePlan,
  type NodeSettings,
  planNode,
  readSettingsFile,
} from '@longshore/node'
import type { Context } from '../context.ts'
import type { Arguments } from '../parse-arguments.ts'
// Runs for long, and must still be able to say why it ended.
import '../report-error.ts'

export async function run({ args, out, stop }: Context): Promise<undefined> {
  const plan = planNode(settingsOf(args))
  const asked = stop.finishService()
  const log = createNodeLog({
    format: (args.text('log') ?? (out.json ? 'json' : 'text')) as 'json' | 'text',
    level: (args.text('log-level') ?? 'info') as LogLevel,
    write: (line) => out.note(line),
    nowMs: Date.now,
  })
  const node = await LongshoreNode.open({ ...plan, log })
  const ticket = node.ticket === undefined ? null : formatTicket(node.ticket)
  const { listen, http = null } = node
  const ready = { event: 'ready', principal: formatName(node.name), ticket, listen, http }
  out.result(ready, () => readyText(ready, plan))
  await out.flush()
  const told = Promise.withResolvers<void>()
  asked.addEventListener('abort', () => told.resolve(), { once: true })
  if (asked.aborted) told.resolve()
  await Promise.race([told.promise, node.failed])
  await node.close()
  if (out.json) out.line(JSON.stringify({ event: 'stopped' }))
}

/** The file first, then what the command line says. */
function settingsOf(args: Arguments): NodeSettings {
  const file = args.text('config')
  const given: Record<string, string | readonly string[]> = {}
  for (const key of ['data', 'http', 'domain', 'quota']) {
    const text = args.text(key)
    if (text !== undefined) given[key] = text
  }
  for (const key of ['listen', 'announce', 'join']) {
    if (args.flag(key)) given[key] = args.all(key)
  }
  const roles = args.text('roles')
  if (roles !== undefined) given['roles'] = splitWords(roles, '--roles')
  return { ...(file === undefined ? {} : readSettingsFile(file)), ...given }
}

/** `a,b`: at least one word, none empty. */
export function splitWords(text: string, option: string): string[] {
  const words = text.split(',')
  if (words.every((word) => word !== '')) return words
  throw new UsageError('USAGE', `${option} has to be words with commas between them`)
}

function readyText(
  ready: {
    principal: string
    ticket: string | null
    listen: readonly string[]
    http: string | null
  },
  { roles, data }: NodePlan,
): string {
  const lines = [
    `principal  ${ready.principal}`,
    `roles      ${roles.join(', ') || 'none'}`,
    `data       ${data}`,
    ...ready.listen.map((address) => `listen     ${address}`),
  ]
  if (ready.http !== null) lines.push(`http       ${ready.http}`)
  if (ready.ticket !== null) lines.push(`ticket     ${ready.ticket}`)
  return lines.join('\n')
}
