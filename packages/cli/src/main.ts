/**
 * The `longshore` command. Parses, runs one command, prints, exits.
 *
 * `--version`, `--help` and completion load nothing but the command table: this file imports
 * statically only what they need (CL3). No other file here ends the process, except for a second
 * signal (stop.ts).
 *
 * @module
 */
import { resolve } from 'node:path'
import { currentBundle } from './bundle.ts'

/** A bug; as in report-error.ts, which may be what fails to load. */
const EXIT_DEFECT = 70

// Exit code 1 would say that a verification failed.
process.on('uncaughtException', (error: Error) => {
  process.stderr.write(`longshore: DEFECT: ${error.stack}\n`)
  process.exit(EXIT_DEFECT)
})

const bundle = currentBundle(resolve(import.meta.dirname, '../../..'))
const { runCommandLine } = await (bundle === undefined ? import('./run.ts') : import(bundle))
process.exitCode = await runCommandLine(process.argv.slice(2))
process.exit()
