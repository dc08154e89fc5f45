/**
 * The world `scale` of the simulator in a process of its own: how far it is between very many
 * nodes, how long until everybody is found, what each of them hears and keeps.
 *
 * @module
 */
import { execFileSync } from 'node:child_process'
import { resolve } from 'node:path'

const SIMULATOR = resolve(import.meta.dirname, '..', '..', 'sim', 'main.ts')

interface Found {
  readonly facts: Readonly<Record<string, string | number>>
  readonly digest: string
}

/** Facts to print and record, in this order. */
export function runSimulatedNodes(count: number, seed: number): Record<string, string | number> {
  const args = ['--world', 'scale', '--seed', String(seed), '--nodes', String(count), '--json']
  const stdio: ['ignore', 'pipe', 'inherit'] = ['ignore', 'pipe', 'inherit']
  const output = execFileSync(process.execPath, [SIMULATOR, ...args], { encoding: 'utf8', stdio })
  const { facts, digest } = JSON.parse(output) as Found
  // What only other worlds have is zero: nobody writes here, and nobody dies.
  const found = Object.entries(facts).filter(([, value]) => value !== 0)
  return { seed, ...Object.fromEntries(found), digest }
}
