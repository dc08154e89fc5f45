/**
 * `longshore trace NAME`: the way to a name, hop by hop.
 *
 * @module
 */
import { formatHex, formatName, parseName, UnavailableError } from '@longshore/capsule'
import { openHome, type TraceReport } from '@longshore/client/node'
import type { Context } from '../context.ts'
import { timeoutOption } from '../remote-options.ts'

export async function run({ args, out, stop, homePath }: Context): Promise<undefined> {
  const name = parseName(args.positional(0))
  await using home = await openHome({ path: homePath, readOnly: true })
  const options = { ...timeoutOption(args), signal: stop.finish() }
  const { hops, code } = await home.network.trace(name, options)
  for (const [number, hop] of hops.entries()) {
    out.result(hopObject(number, hop), () => hopLine(number, hop))
  }
  if (code === undefined) return
  const details = { name: formatName(name), hops: hops.length, code }
  throw new UnavailableError('NO_ROUTE', `the trace ends before a serving node: ${code}`, details)
}

type Hop = TraceReport['hops'][number]

function hopObject(number: number, { principal, domain, costUs, evidence }: Hop): object {
  return {
    hop: number,
    principal: formatName(principal),
    domain: domain === null ? null : formatName(domain),
    costUs,
    evidence: evidence === null ? null : formatHex(evidence),
  }
}

function hopLine(number: number, { principal, domain, costUs, evidence }: Hop): string {
  const words = [`${number}`, formatName(principal), `${(costUs / 1000).toFixed(3)} ms`]
  if (domain !== null) words.push(`in ${formatName(domain)}`)
  if (evidence !== null) words.push(`by ${formatHex(evidence)}`)
  return words.join('  ')
}
