/**
 * Single keys of a terminal, while `npm start` runs.
 *
 * @module
 */

/** What a terminal sends for Ctrl-C where keys are read one by one. */
const CTRL_C = '\x03'

/** Calls `onKey` for each key, `q` for Ctrl-C; the returned function gives the terminal back. */
export function readKeys(input: NodeJS.ReadStream, onKey: (key: string) => void): () => void {
  const listener = (text: string): void => {
    for (const key of text) onKey(key === CTRL_C ? 'q' : key.toLowerCase())
  }
  input.setEncoding('utf8')
  input.setRawMode(true)
  input.on('data', listener)
  input.resume()
  return () => {
    input.off('data', listener)
    input.setRawMode(false)
    input.pause()
  }
}
