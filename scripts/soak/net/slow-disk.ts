/**
 * A slow disk: every sync of a process takes longer while the fault lasts. Nothing is changed
 * or lost; `strace` holds the system call.
 *
 * For Linux with strace, and who may trace; elsewhere there is a reason why not.
 *
 * @module
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'

const ATTACH_MS_MAX = 10_000

/** Why no disk can be slow here; undefined if it can. */
export function whyNoSlowDisk(): string | undefined {
  if (process.platform !== 'linux') return 'needs Linux'
  if (process.getuid?.() !== 0) return 'needs root'
  return spawnSync('strace', ['-V']).status === 0 ? undefined : 'needs strace'
}

export class SlowDisk {
  readonly #tracer: ChildProcess

  private constructor(tracer: ChildProcess) {
    this.#tracer = tracer
  }

  /** The fault has begun when it resolves. */
  static async under(pid: number, syncMs: number): Promise<SlowDisk> {
    const inject = `inject=fdatasync:delay_enter=${syncMs * 1000}`
    const tampering = ['-e', 'trace=fdatasync', '-e', inject]
    const args = ['-f', ...tampering, '-o', '/dev/null', '-p', String(pid)]
    const tracer = spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] })
    const disk = new SlowDisk(tracer)
    process.once('exit', disk.#detach)
    let said = ''
    const attached = new Promise<void>((resolve) => {
      tracer.stderr?.setEncoding('utf8').on('data', (text: string) => {
        said += text
        if (said.includes('attached')) resolve()
      })
    })
    const ended = once(tracer, 'close').then(() => {
      throw new Error(`strace has ended: ${said}`)
    })
    ended.catch(() => {})
    const signal = AbortSignal.timeout(ATTACH_MS_MAX)
    const tooLong = once(signal, 'abort').then(() => {
      throw new Error(`strace does not attach: ${said}`)
    })
    tooLong.catch(() => {})
    await Promise.race([attached, ended, tooLong])
    return disk
  }

  /** Syncs that were held go on. */
  async release(): Promise<void> {
    process.off('exit', this.#detach)
    if (this.#tracer.exitCode !== null) return
    const ended = once(this.#tracer, 'close')
    this.#detach()
    await ended
  }

  readonly #detach = (): void => {
    this.#tracer.kill('SIGTERM')
  }
}
