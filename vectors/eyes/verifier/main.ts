/**
 * The second verifier as a command:
 *
 *     node vectors/eyes/verifier/main.ts receipt FILE [NAME]
 *     node vectors/eyes/verifier/main.ts directory DIR [NAME]
 *
 * Prints one line of JSON. Exit code 0 if everything holds, 1 if not, 2 for a wrong call.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { openDirectory } from './directory.ts'
import { formatName, parseName } from './name.ts'
import { openReceipt } from './receipt.ts'
import { Refused } from './refuse.ts'

const [kind = '', path = '', nameText] = process.argv.slice(2)

function check(): Record<string, unknown> {
  const expected = nameText === undefined ? undefined : parseName(nameText)
  if (kind === 'directory') {
    const { name, size } = openDirectory(path, expected)
    return { ok: true, name: formatName(name), size }
  }
  const { name, size, index } = openReceipt(readFileSync(path), expected)
  return { ok: true, name: formatName(name), size, index }
}

if (path === '' || !['receipt', 'directory'].includes(kind)) {
  console.error('usage: main.ts (receipt FILE | directory DIR) [NAME]')
  process.exit(2)
}
try {
  console.log(JSON.stringify(check()))
} catch (error) {
  if (!(error instanceof Refused)) throw error
  console.log(JSON.stringify({ ok: false, reason: error.message }))
  process.exitCode = 1
}
