/**
 * What a person at the command line can do about an error, where more is known than its code says.
 *
 * @module
 */
import type { LongshoreError } from '@longshore/capsule'

/** One sentence: the advice of the code, or one that fits the case better. */
export function adviceFor({ code, details, next }: LongshoreError): string {
  if (code === 'NOT_FOUND' && 'path' in details) {
    return 'Choose a home with --home or LONGSHORE_HOME, or make this one with `longshore create`.'
  }
  if (code === 'NOT_FOUND' && 'data' in details) {
    return 'Choose the data directory of a node with --data, or make one with `longshore node run`.'
  }
  if (code === 'NOT_FOUND' && 'capsule' in details) {
    return 'See `longshore node status` for the capsules that the node mirrors.'
  }
  if (code === 'NOT_FOUND' && details['type'] === 'domain') {
    return 'Use the home in which the domain was made, or make one with `longshore domain new`.'
  }
  if (code === 'MEMBERSHIP_INVALID' && 'node' in details) {
    const admit = `longshore domain admit ${details['domain']} ${details['node']}`
    return `In the home of the domain: \`${admit}\`; then give the word to \`node join-domain\`.`
  }
  if (code === 'NOT_FOUND' && 'type' in details) {
    return 'See `longshore id list` for the identities of this home.'
  }
  if (code === 'NOT_FOUND' && 'name' in details) {
    return 'See `longshore list` for the capsules of this home; others come in with `longshore import`.'
  }
  if (code === 'USAGE' && 'type' in details) {
    return 'See `longshore list` for capsules, `longshore id list` for identities.'
  }
  return next
}
