/**
 * How the processes of one measurement hear from the benchmark: a command, and one answer to it.
 *
 * @module
 */
export interface Answer {
  readonly result?: unknown
  readonly error?: string
  /** Microseconds of processor time of this process so far. */
  readonly cpuUs: number
}

type Commands = Readonly<Record<string, (argument: never) => unknown>>

/** Answers commands `{ name, argument }` from now on; ends with the benchmark. */
export function answerCommands(commands: Commands): void {
  process.on('disconnect', () => process.exit(0))
  process.on('message', async ({ name, argument }: { name: string; argument: never }) => {
    try {
      answer({ result: await commands[name]?.(argument) })
    } catch (error) {
      answer({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    }
  })
  answer({})
}

function answer(content: Omit<Answer, 'cpuUs'>): void {
  const { user, system } = process.cpuUsage()
  process.send?.({ ...content, cpuUs: user + system } satisfies Answer)
}
