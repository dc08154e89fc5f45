/**
 * A capsule made and exported by the real command, for those who check it from outside.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const LONGSHORE = resolve(import.meta.dirname, '../bin/longshore')

/** A temporary home and what the command made in it. Removed when disposed of. */
export class CommandHome implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), 'longshore-eyes-'))

  /** Runs `longshore` with these arguments; returns stdout, fails on another exit code. */
  run(args: readonly string[], options: { input?: string; code?: number } = {}): string {
    const { input = '', code = 0 } = options
    const { status, stdout, stderr } = spawnSync(LONGSHORE, args, {
      input,
      encoding: 'utf8',
      env: {
        PATH: process.env['PATH'],
        HOME: this.path,
        LONGSHORE_HOME: join(this.path, 'home'),
        XDG_STATE_HOME: join(this.path, 'state'),
        NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      },
    })
    assert.equal(status, code, `longshore ${args.join(' ')}: ${stderr}`)
    return stdout
  }

  /** Path of a file or directory in the temporary directory. */
  file(name: string): string {
    return join(this.path, name)
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

export interface ExportedCapsule {
  readonly home: CommandHome
  readonly name: string
  /** C2SP verifier key of the capsule's writer. */
  readonly vkey: string
  /** Directory with the export. */
  readonly directory: string
  readonly size: number
}

/** A capsule of `lineCount` lines, one of them erased, and its export. */
export function exportCapsule(
  home: CommandHome,
  lineCount: number,
  blind = false,
): ExportedCapsule {
  const name = home.run(['create', '--label', 'made=for the eyes', ...(blind ? ['--blind'] : [])])
  const lines = Array.from({ length: lineCount }, (_, index) => `line ${index}\n`)
  const text = name.trim()
  home.run(['append', text, '--lines'], { input: lines.join('') })
  home.run(['erase', text, '1'])
  const directory = home.file(`export-${lineCount}${blind ? '-blind' : ''}`)
  home.run(['export', text, directory, '--format', 'tlog-tiles'])
  const vkey = home.run(['show', text, '--vkey']).trimEnd().split('\n').at(-1) ?? ''
  return { home, name: text, vkey, directory, size: lineCount + 1 }
}

/** A receipt made by the command, as bytes. */
export function makeReceipt({ home, name }: ExportedCapsule, index: number): Uint8Array {
  const file = home.file(`receipt-${index}`)
  home.run(['receipt', name, String(index), '-o', file])
  return readFileSync(file)
}
