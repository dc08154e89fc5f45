import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { runTranscript, type TranscriptFailure } from './transcript.ts'

const directory = import.meta.dirname
const files = readdirSync(directory).filter((name) => name.endsWith('.txt'))

describe('transcripts of the real command', { concurrency: 2 }, () => {
  for (const file of files) {
    const path = join(directory, file)
    const [title = ''] = readFileSync(path, 'utf8').split('\n')
    test(title.replace(/^# /, ''), async () => {
      const failure = await runTranscript(path)
      if (failure === undefined) return
      assert.fail(formatFailure(failure))
    })
  }
})

function formatFailure({ step, expected, actual }: TranscriptFailure): string {
  return `${step}\nexpected:\n${expected}\nbut it was:\n${actual}\n`
}
