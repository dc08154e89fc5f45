/**
 * The commands that `npm start` invites the person to try. They are complete: copy, paste, run.
 *
 * @module
 */
import { FOLLOWER_ROUTER } from './plan.ts'

/** Where the clone keeps the federation of `npm start`; git ignores it. */
export const START_DIRECTORY = '.longshore'

interface Suggestion {
  readonly why: string
  readonly command: string
}

function suggestCommands(name: string, directory: string): Suggestion[] {
  const place = (path: string): string => quoteWord(`${directory}/${path}`)
  const writer = `bin/longshore --home ${place('writer')}`
  const stranger = `bin/longshore --home ${place('guest')}`
  const ticket = `"$(bin/longshore node ticket --data ${place(FOLLOWER_ROUTER)})"`
  return [
    { why: 'which mirrors hold it, and how far', command: `${writer} status ${name}` },
    { why: 'the way through the network, hop by hop', command: `${writer} trace ${name}` },
    { why: 'somebody who has only a ticket', command: `${stranger} connect ${ticket}` },
    { why: 'follows it, verified', command: `${stranger} follow ${name} --last 3` },
    {
      why: 'and gets a receipt, signed by mirrors',
      command: `${stranger} receipt ${name} 7 -o entry7.tlog-proof`,
    },
    {
      why: 'anybody verifies that, offline',
      command: `bin/longshore verify entry7.tlog-proof --name ${name}`,
    },
    {
      why: 'tampering with a copy is refused',
      command: `sed 's/^index 7$/index 8/' entry7.tlog-proof > forged.tlog-proof; bin/longshore verify forged.tlog-proof`,
    },
  ]
}

/** As one word of a shell. */
function quoteWord(word: string): string {
  return /^[\w./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

export function formatCommands(name: string, directory: string): string {
  return suggestCommands(name, directory)
    .map(({ why, command }) => `  # ${why}\n  ${command}\n`)
    .join('')
}
