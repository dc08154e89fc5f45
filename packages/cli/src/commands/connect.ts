/**
 * `longshore connect TICKET`: remembers a node and sees whether it answers.
 *
 * @module
 */
import { formatName, isLongshoreError, parseTicket } from '@longshore/capsule'
import { type Home, openHome } from '@longshore/client/node'
import type { Context } from '../context.ts'
import { timeoutOption } from '../remote-options.ts'

/** A node on the other side of the world answers sooner. */
const TIMEOUT_MS = 5000

export async function run({ args, out, stop, homePath }: Context): Promise<undefined> {
  // Before a home is made for it.
  const ticket = parseTicket(args.positional(0))
  await using home = await openHome({ path: homePath })
  const { name, addresses } = await home.network.connect(ticket)
  const options = { timeoutMs: TIMEOUT_MS, ...timeoutOption(args), signal: stop.finish() }
  const isLinked = await answers(home, options)
  const principal = formatName(name)
  const what = isLinked ? 'connected to' : 'kept, but nothing answers:'
  out.result(
    { principal, addresses, linked: isLinked },
    `${what} ${principal} at ${addresses.join(', ')}`,
  )
}

async function answers(
  home: Home,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<boolean> {
  try {
    await home.network.linked(options)
    return true
  } catch (error) {
    if (isLongshoreError(error) && error.code === 'NO_MIRROR') return false
    throw error
  }
}
