/**
 * One call of the command line, from its words to its exit code.
 *
 * @module
 */
import packageJson from '../package.json' with { type: 'json' }
import { type CommandModule, type Context, homePath } from './context.ts'
import { Output } from './output.ts'
import { type Parsed, parseArguments } from './parse-arguments.ts'
import { Stop } from './stop.ts'

/** The code of each command, loaded only when it runs. A test compares the keys with the table. */
export const COMMAND_MODULES: Readonly<Record<string, () => Promise<CommandModule>>> = {
  'id new': () => import('./commands/id-new.ts'),
  'id list': () => import('./commands/id-list.ts'),
  'id show': () => import('./commands/id-show.ts'),
  create: () => import('./commands/create.ts'),
  list: () => import('./commands/list.ts'),
  show: () => import('./commands/show.ts'),
  du: () => import('./commands/du.ts'),
  append: () => import('./commands/append.ts'),
  read: () => import('./commands/read.ts'),
  follow: () => import('./commands/follow.ts'),
  erase: () => import('./commands/erase.ts'),
  receipt: () => import('./commands/receipt.ts'),
  verify: () => import('./commands/verify.ts'),
  export: () => import('./commands/export.ts'),
  import: () => import('./commands/import.ts'),
  backup: () => import('./commands/backup.ts'),
  restore: () => import('./commands/restore.ts'),
  recover: () => import('./commands/recover.ts'),
  compact: () => import('./commands/compact.ts'),
  fsck: () => import('./commands/fsck.ts'),
  'node run': () => import('./commands/node-run.ts'),
  'node ticket': () => import('./commands/node-ticket.ts'),
  'node status': () => import('./commands/node-status.ts'),
  'node join-domain': () => import('./commands/node-join-domain.ts'),
  'node drop': () => import('./commands/node-drop.ts'),
  'domain new': () => import('./commands/domain-new.ts'),
  'domain admit': () => import('./commands/domain-admit.ts'),
  'domain join': () => import('./commands/domain-join.ts'),
  connect: () => import('./commands/connect.ts'),
  grant: () => import('./commands/grant.ts'),
  'mirror add': () => import('./commands/mirror-add.ts'),
  'mirror list': () => import('./commands/mirror-list.ts'),
  'mirror remove': () => import('./commands/mirror-remove.ts'),
  push: () => import('./commands/push.ts'),
  pull: () => import('./commands/pull.ts'),
  status: () => import('./commands/status.ts'),
  trace: () => import('./commands/trace.ts'),
  completion: () => import('./commands/completion.ts'),
}

export async function runCommandLine(argv: readonly string[]): Promise<number> {
  const parsed = parseArguments(argv)
  const json = parsed.kind === 'run' ? parsed.args.flag('json') : parsed.json
  const quiet = parsed.kind === 'run' && parsed.args.flag('quiet')
  const out = new Output({ json, quiet }, process)
  const stop = new Stop()
  try {
    const exitCode = await runParsed(parsed, out, stop)
    await out.flush()
    return stop.exitCode ?? exitCode
  } catch (error) {
    // First what was found out before it: the error is the last thing that is read.
    await out.flush().catch(() => undefined)
    const { isAborted, reportError } = await import('./report-error.ts')
    // Whoever sent the signal knows why it ended.
    if (stop.exitCode !== undefined && isAborted(error)) return stop.exitCode
    return reportError(out, error)
  }
}

async function runParsed(parsed: Parsed, out: Output, stop: Stop): Promise<number> {
  switch (parsed.kind) {
    case 'version': {
      const { version } = packageJson
      out.result({ version, node: process.versions.node }, `longshore ${version}`)
      return 0
    }
    case 'help': {
      const { formatCommandHelp, formatHelp } = await import('./help.ts')
      const { command } = parsed
      out.bytes(Buffer.from(command === undefined ? formatHelp() : formatCommandHelp(command)))
      return 0
    }
    case 'problem': {
      const { EXIT, printReport } = await import('./report-error.ts')
      const { message, hint } = parsed
      printReport(out, { code: 'USAGE', message, next: hint, details: {} })
      return EXIT.usage
    }
    case 'run': {
      const { args } = parsed
      const context: Context = {
        args,
        out,
        stop,
        homePath: homePath(args.text('home'), process.env),
      }
      const { run } = await COMMAND_MODULES[args.command.name]!()
      return (await run(context)) ?? 0
    }
  }
}
