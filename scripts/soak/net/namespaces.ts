/**
 * Machines that are network namespaces behind one bridge, and what the kernel can do to them: a
 * link that goes down, a route that leads nowhere, a link that is throttled.
 *
 * For root on Linux with iproute2; elsewhere there is a reason why not.
 *
 * @module
 */
import { execFileSync, spawnSync } from 'node:child_process'
import type { Machine } from './node-process.ts'

const BRIDGE = 'lsbr'
/** Two runs on one machine, or what a killed one has left, mostly have different ones. */
const NETWORK = `10.231.${process.pid % 256}`
/** What tbf lets through: a bad radio link. */
const THROTTLED = ['rate', '256kbit', 'burst', '16kb', 'latency', '400ms']

export type KernelFault = 'down' | 'blackhole' | 'tbf'

/** Why there can be no namespaces here; undefined if there can. */
export function whyNoNamespaces(): string | undefined {
  if (process.platform !== 'linux') return 'needs Linux'
  if (process.getuid?.() !== 0) return 'needs root'
  const probe = `lsprobe${process.pid}`
  if (spawnSync('ip', ['netns', 'add', probe]).status !== 0) return 'needs ip netns (iproute2)'
  spawnSync('ip', ['netns', 'delete', probe])
  return undefined
}

/** Machines on one wire; each has an address, and reaches all others and this one. */
export class Machines {
  readonly #names: string[] = []
  readonly #prefix: string

  constructor(prefix: string) {
    this.#prefix = prefix
    // Namespaces outlive whoever made them.
    process.once('exit', this.#clear)
    ip('link', 'add', this.#bridge, 'type', 'bridge')
    ip('address', 'add', `${NETWORK}.254/24`, 'dev', this.#bridge)
    ip('link', 'set', this.#bridge, 'up')
  }

  add(name: string): Machine {
    const at = this.#names.push(name)
    const [space, outer] = [this.#space(name), `${this.#prefix}v${at}`]
    const address = this.#address(name)
    ip('netns', 'add', space)
    ip('link', 'add', outer, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', space)
    ip('link', 'set', outer, 'master', this.#bridge, 'up')
    ip('-n', space, 'address', 'add', `${address}/24`, 'dev', 'eth0')
    ip('-n', space, 'link', 'set', 'eth0', 'up')
    ip('-n', space, 'link', 'set', 'lo', 'up')
    return { host: address, wrapper: ['ip', 'netns', 'exec', space] }
  }

  get names(): readonly string[] {
    return this.#names
  }

  /** Begins a fault of one machine: towards another one, or all others. */
  begin(fault: KernelFault, name: string, other: string): void {
    const space = this.#space(name)
    if (fault === 'down') ip('-n', space, 'link', 'set', 'eth0', 'down')
    if (fault === 'blackhole') {
      ip('-n', space, 'route', 'add', 'blackhole', `${this.#address(other)}/32`)
    }
    if (fault === 'tbf') {
      execFileSync('tc', ['-n', space, 'qdisc', 'add', 'dev', 'eth0', 'root', 'tbf', ...THROTTLED])
    }
  }

  end(fault: KernelFault, name: string, other: string): void {
    const space = this.#space(name)
    if (fault === 'down') ip('-n', space, 'link', 'set', 'eth0', 'up')
    if (fault === 'blackhole') {
      ip('-n', space, 'route', 'delete', 'blackhole', `${this.#address(other)}/32`)
    }
    if (fault === 'tbf') {
      execFileSync('tc', ['-n', space, 'qdisc', 'delete', 'dev', 'eth0', 'root'])
    }
  }

  close(): void {
    process.off('exit', this.#clear)
    this.#clear()
  }

  readonly #clear = (): void => {
    for (const name of this.#names) spawnSync('ip', ['netns', 'delete', this.#space(name)])
    spawnSync('ip', ['link', 'delete', this.#bridge])
  }

  get #bridge(): string {
    return `${this.#prefix}${BRIDGE}`
  }

  #space(name: string): string {
    return `${this.#prefix}-${name}`
  }

  #address(name: string): string {
    return `${NETWORK}.${this.#names.indexOf(name) + 1}`
  }
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] })
}
