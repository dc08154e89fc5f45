/**
 * The commands that `npm start` invites the person to try. They are complete: copy, paste, run.
 *
 * @module
 */

/** Where the clone keeps the capsules of `npm start`; git ignores it. */
export const START_HOME = '.longshore'

interface Suggestion {
  readonly why: string
  readonly command: string
}

function suggestCommands(name: string, home: string): Suggestion[] {
  const longshore = `bin/longshore --home ${quoteWord(home)}`
  return [
    { why: 'read the last three entries', command: `${longshore} read ${name} --last 3` },
    { why: 'follow what comes from now on', command: `${longshore} follow ${name} --last 0` },
    {
      why: 'a receipt for entry 7',
      command: `${longshore} receipt ${name} 7 -o entry7.tlog-proof`,
    },
    { why: 'verify it, offline', command: `bin/longshore verify entry7.tlog-proof --name ${name}` },
    {
      why: 'tamper with a copy',
      command: `sed 's/^index 7$/index 8/' entry7.tlog-proof > forged.tlog-proof`,
    },
    { why: 'and see it refused', command: 'bin/longshore verify forged.tlog-proof' },
  ]
}

/** As one word of a shell. */
function quoteWord(word: string): string {
  return /^[\w./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

export function formatCommands(name: string, home: string): string {
  return suggestCommands(name, home)
    .map(({ why, command }) => `  # ${why}\n  ${command}\n`)
    .join('')
}
