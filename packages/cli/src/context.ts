/**
 * What every command gets: its arguments, where to print, where the home is.
 *
 * @module
 */
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Output } from './output.ts'
import type { Arguments } from './parse-arguments.ts'
import type { Stop } from './stop.ts'

export interface Context {
  readonly args: Arguments
  readonly out: Output
  readonly stop: Stop
  /** Absolute. It need not exist. */
  readonly homePath: string
}

/** What a file in `commands/` exports. The result is the exit code, 0 if undefined. */
export interface CommandModule {
  run(context: Context): Promise<number | undefined>
}

/** `--home`, else `$LONGSHORE_HOME`, else `~/.longshore` (CL4). */
export function homePath(
  option: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string {
  return resolve(option ?? (env['LONGSHORE_HOME'] || join(homedir(), '.longshore')))
}
