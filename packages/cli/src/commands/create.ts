/**
 * `longshore create`: makes a capsule and prints its name.
 *
 * @module
 */
import { type CapsuleName, parseName, UsageError } from '@longshore/capsule'
import { openHome } from '@longshore/client/node'
import type { Context } from '../context.ts'

/** Options that name domains, each a list of the policy. */
const POLICY_LISTS = ['carry', 'exclude', 'hold', 'read'] as const
type PolicyList = (typeof POLICY_LISTS)[number]

export async function run({ args, out, homePath }: Context): Promise<undefined> {
  const labels = parseLabels(args.all('label'))
  const identity = args.text('identity')
  const domains: Partial<Record<PolicyList, CapsuleName[]>> = {}
  for (const list of POLICY_LISTS) {
    const names = args.all(list)
    if (names.length > 0) domains[list] = names.map(parseName)
  }
  await using home = await openHome({ path: homePath, create: true })
  const copies = args.integer('copies')
  await using capsule = await home.create({
    labels,
    ...domains,
    ...(copies === undefined ? {} : { copies }),
    blind: args.flag('blind'),
    public: args.flag('public'),
    postQuantum: args.flag('post-quantum'),
    ...(identity === undefined ? {} : { identity: parseName(identity) }),
  })
  out.result({ name: capsule.text, labels }, capsule.text)
}

/** A value may hold `=`; a key is everything before the first one. */
function parseLabels(pairs: readonly string[]): Record<string, string> {
  const labels = new Map<string, string>()
  for (const pair of pairs) {
    const equals = pair.indexOf('=')
    const key = pair.slice(0, equals)
    if (labels.has(key)) throw new UsageError('USAGE', `the label ${key} is given twice`)
    labels.set(key, pair.slice(equals + 1))
  }
  return Object.fromEntries(labels)
}
