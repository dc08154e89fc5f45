/**
 * Programs that others wrote and that may be missing on a laptop.
 *
 * A test that needs one is skipped with a reason that names it; `LONGSHORE_REQUIRE=go,openssl`
 * turns such a skip into a failure (scripts/test.ts).
 *
 * @module
 */
import { spawnSync } from 'node:child_process'

/** Why a test cannot run here, or false if it can: for the option `skip` of a test. */
export function isMissing(tool: string, command: string, args: readonly string[]): string | false {
  const { status } = spawnSync(command, args, { stdio: 'ignore' })
  return status === 0 ? false : `${tool} is not installed`
}

export interface Outcome {
  readonly status: number | null
  readonly output: string
}

/** Runs a program to its end; `output` is what it wrote to both streams. */
export function runTool(
  command: string,
  args: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv; readonly input?: string } = {},
): Outcome {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    env: { ...process.env, ...options.env },
    ...(options.input === undefined ? {} : { input: options.input }),
  })
  if (error !== undefined) throw error
  return { status, output: stdout + stderr }
}
