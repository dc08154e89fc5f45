/**
 * `longshore connect TICKET`: remembers a node and sees whether it answers.
 *
 * @module
 */
import { type CapsuleName, formatName, isLongshoreError, parseTicket } from '@longshore/capsule'
import { type Home, openHome } from '@longshore/client/node'
import { adviceForTicket } from '../advice.ts'
import type { Context } from '../context.ts'
import { timeoutOption } from '../remote-options.ts'
import { formatPrintable } from '../text/printable.ts'

/** A node on the other side of the world answers sooner. */
const TIMEOUT_MS = 5000

export async function run({ args, out, stop, homePath }: Context): Promise<undefined> {
  // Before a home is made for it.
  const ticket = parseTicket(args.positional(0))
  await using home = await openHome({ path: homePath })
  const options = { timeoutMs: TIMEOUT_MS, ...timeoutOption(args), signal: stop.finish() }
  const { name, addresses } = await home.network.connect(ticket, options)
  const reason = await whyNoLink(home, { ...options, node: name })
  const principal = formatName(name)
  const where = `${principal} at ${addresses.join(', ')}`
  out.result({ principal, addresses, linked: reason === null, reason: reason || null }, () => {
    if (reason === null) return `connected to ${where}`
    const why = reason === '' ? '' : ` (${formatPrintable(reason)})`
    return `kept, but the node does not answer: ${where}${why}`
  })
  if (reason !== null) out.note(adviceForTicket(reason))
}

/** Null if the node answers; empty if it is not known why it does not. */
async function whyNoLink(
  home: Home,
  options: { timeoutMs: number; signal: AbortSignal; node: CapsuleName },
): Promise<string | null> {
  try {
    await home.network.linked(options)
    return null
  } catch (error) {
    if (!isLongshoreError(error) || error.code !== 'NO_MIRROR') throw error
    return String(error.details['reason'] ?? '')
  }
}
