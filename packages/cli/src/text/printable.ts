/**
 * Text of strangers, made safe for a terminal.
 *
 * Payloads, labels and file names can hold escape sequences that repaint a terminal, or invisible
 * characters that reorder what is shown. Everything that does not print is escaped; what remains
 * cannot move the cursor, ring, reorder or hide. Rule CL14 of docs/spec/cli.md.
 *
 * @module
 */

/** A longer preview is cut: a line of text is for looking, `--raw` and `--json` are for bytes. */
const PREVIEW_CHARS_MAX = 500
const PREVIEW_BINARY_BYTES = 32

/** Controls, formats (bidirectional marks, zero widths), surrogates, private use, line ends. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

export function formatPrintable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    const short = SHORT[character]
    if (short !== undefined) return short
    const code = character.codePointAt(0)!.toString(16)
    return code.length <= 2 ? `\\x${code.padStart(2, '0')}` : `\\u{${code}}`
  })
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** One line that shows a payload: its text if it is UTF-8, else its first bytes in hex. */
export function formatPreview(payload: Uint8Array): string {
  const text = decodePreview(payload)
  if (text === undefined) {
    const shown = Buffer.from(payload.subarray(0, PREVIEW_BINARY_BYTES)).toString('hex')
    return `(${payload.length} bytes) ${shown}${payload.length > PREVIEW_BINARY_BYTES ? '…' : ''}`
  }
  const characters = text.length > PREVIEW_CHARS_MAX ? cutText(text) : text
  return formatPrintable(characters) + (characters === text ? '' : `… (${payload.length} bytes)`)
}

function decodePreview(payload: Uint8Array): string | undefined {
  try {
    return utf8.decode(payload)
  } catch {
    return undefined
  }
}

/** Never between the two halves of a surrogate pair. */
function cutText(text: string): string {
  const code = text.charCodeAt(PREVIEW_CHARS_MAX - 1)
  const isHighHalf = code >= 0xd800 && code <= 0xdbff
  return text.slice(0, isHighHalf ? PREVIEW_CHARS_MAX - 1 : PREVIEW_CHARS_MAX)
}
