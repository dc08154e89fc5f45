/**
 * The packages in a browser: what a bundler makes of them, and what Chromium says to receipts.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { type OutputChunk, rolldown } from 'rolldown'
import { isMissing, runTool } from '../foreign-tool.ts'
import { readVectors } from '../read-vectors.ts'
import type { ReceiptFields } from '../receipt-vector.ts'
import type { Findings } from './page.ts'

/** The design's limit for capsule and client together. */
const GZIP_BYTES_MAX = 60_000

const CHROMIUM_FLAGS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-sync'],
  ...['--disable-background-networking', '--disable-component-update'],
]

/** One file for browsers, without any import left. */
async function bundle(entry: string): Promise<OutputChunk> {
  const build = await rolldown({
    input: join(import.meta.dirname, entry),
    platform: 'browser',
    logLevel: 'silent',
  })
  const { output } = await build.generate({ format: 'iife', name: 'bundle', minify: true })
  await build.close()
  assert.equal(output.length, 1)
  return output[0]
}

test('the bundle for browsers holds nothing of Node and is small', async () => {
  const { code, imports, dynamicImports, moduleIds } = await bundle('everything.ts')
  assert.deepEqual([...imports, ...dynamicImports], [])
  assert.deepEqual(code.match(/['"`]node:[a-z/]+['"`]|\brequire\(|sodium/g), null)
  assert.ok(moduleIds.some((id) => id.includes('/platform/browser/')))
  assert.deepEqual(
    moduleIds.filter((id) => /\/platform\/node\/|sodium|lmdb/.test(id)),
    [],
  )
  const gzipBytes = gzipSync(code).length
  console.log(`browser bundle: ${code.length} bytes, ${gzipBytes} with gzip`)
  assert.ok(gzipBytes <= GZIP_BYTES_MAX, `${gzipBytes} bytes with gzip`)
})

/** Runs the page in Chromium and returns what it found. */
function runPage(t: TestContext, code: string, cases: readonly unknown[]): Findings {
  const directory = mkdtempSync(join(tmpdir(), 'longshore-chromium-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const data = JSON.stringify(cases).replaceAll('<', '\\u003c')
  const page = join(directory, 'page.html')
  assert.ok(!code.includes('</script'))
  writeFileSync(
    page,
    `<!doctype html><meta charset="utf-8"><pre id="findings"></pre>
<script type="application/json" id="cases">${data}</script><script>${code}</script>`,
  )
  const profile = `--user-data-dir=${join(directory, 'profile')}`
  const url = pathToFileURL(page).href
  const { output } = runTool('chromium', [...CHROMIUM_FLAGS, profile, '--dump-dom', url])
  const found = /<pre id="findings">([^<]+)<\/pre>/.exec(output)
  assert.ok(found !== null, `the page wrote nothing: ${output.slice(0, 2000)}`)
  return JSON.parse(found[1] ?? '') as Findings
}

const skip = isMissing('chromium', 'chromium', ['--version'])

test('RC2: Chromium accepts and refuses the receipts of the vectors as Node does', {
  skip,
}, async (t) => {
  const cases = readVectors<ReceiptFields>('receipt')
  const { code } = await bundle('page.ts')
  const { verdicts, changed } = runPage(t, code, cases)
  for (const vector of cases) {
    assert.equal(verdicts[vector.id], vector.valid ? vector.name : vector.code, vector.id)
  }
  assert.equal(changed, 'ROOT_MISMATCH')
})
