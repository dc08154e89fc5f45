/**
 * Nodes as processes, and commands that speak with them.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { checkLines } from './check-lines.ts'
import type { Place } from './longshore-process.ts'

export interface RunningNode {
  readonly principal: string
  readonly ticket: string
  readonly address: string
  stop(): Promise<void>
}

/** A router that is a mirror, too. */
export async function startNode(
  place: Place,
  data: string,
  ...options: string[]
): Promise<RunningNode> {
  const isListening = options.includes('--listen')
  const listen = isListening ? [] : ['--listen', 'tls://127.0.0.1:0']
  const roles = ['--roles', 'router,mirror']
  const quiet = ['--log-level', 'error', '--json']
  const started = place.start([
    'node',
    'run',
    '--data',
    data,
    ...roles,
    ...listen,
    ...quiet,
    ...options,
  ])
  const { principal, ticket, listen: addresses } = await started.json()
  return {
    principal: String(principal),
    ticket: String(ticket),
    address: String(addresses),
    async stop() {
      started.child.kill('SIGTERM')
      assert.equal((await started.finished).code, 0)
    },
  }
}

/** `schema` is that of each line. */
type CommandRunner = (
  schema: string,
  args: string[],
  input?: string,
) => Promise<Record<string, unknown>[]>

/** What a command that succeeds prints, held against its schema. */
export function runner(place: Place): CommandRunner {
  return async (schema: string, args: string[], input = ''): Promise<Record<string, unknown>[]> => {
    const { code, stdout, stderr } = await place.run([...args, '--json'], input)
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`)
    return checkLines(schema, stdout)
  }
}

/** The error of a command that fails. */
export async function failing(
  place: Place,
  args: string[],
  input = '',
): Promise<[unknown, unknown]> {
  const { code, stderr } = await place.run([...args, '--json'], input)
  return [code, checkLines('error', stderr)[0]?.['code']]
}
