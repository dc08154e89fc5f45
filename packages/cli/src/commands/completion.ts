/**
 * `longshore completion bash|zsh|fish`: the script for one shell, made from the command table.
 *
 * @module
 */
import { formatBashCompletion } from '../completion/bash.ts'
import { formatFishCompletion } from '../completion/fish.ts'
import { formatZshCompletion } from '../completion/zsh.ts'
import type { Context } from '../context.ts'

const SCRIPTS: Readonly<Record<string, () => string>> = {
  bash: formatBashCompletion,
  zsh: formatZshCompletion,
  fish: formatFishCompletion,
}

export async function run({ args, out }: Context): Promise<undefined> {
  out.bytes(Buffer.from(SCRIPTS[args.positional(0)]!()))
}
