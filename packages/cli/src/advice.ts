/**
 * What a person at the command line can do about an error, where more is known than its code says.
 *
 * @module
 */
import type { ErrorCode, LongshoreError } from '@longshore/capsule'

type Details = LongshoreError['details']

/** Each looks at what the error says and gives a sentence that fits better, or none. */
const ADVICE: Partial<Readonly<Record<ErrorCode, (details: Details) => string | undefined>>> = {
  NOT_FOUND: aboutNotFound,
  NO_MIRROR: aboutNoMirror,
  LEVEL_IMPOSSIBLE: aboutImpossibleLevel,
  EQUIVOCATION({ path }) {
    if (typeof path !== 'string') return undefined
    return `The evidence is in ${path}: stop relying on the capsule, and show it to its owner.`
  },
  MEMBERSHIP_INVALID(details) {
    if (!('node' in details)) return undefined
    const admit = `longshore domain admit ${details['domain']} ${details['node']}`
    return `In the home of the domain: \`${admit}\`; then give the word to \`node join-domain\`.`
  },
  TIME_INVALID(details) {
    if (!('notAfterS' in details)) return undefined
    return 'Choose an end that is still to come: a time from now like 12h or 90d, or a date.'
  },
  USAGE(details) {
    if ('node' in details) {
      return 'The name of a node is what `longshore connect` prints, or `longshore node status`.'
    }
    if ('principal' in details) {
      return 'Ask the owner of the domain for one made for the name that `longshore id show` prints.'
    }
    if (details['type'] === 'node') {
      return 'Name a capsule here; see `longshore list` for those of this home.'
    }
    if (!('type' in details)) return undefined
    return 'See `longshore list` for capsules, `longshore id list` for identities.'
  },
}

/** Somebody else answers, as where a letter of the name, the key or the address is another one. */
const SOMEBODY_ELSE = /NODE_MISMATCH|another TLS key|not a node of Longshore/

/** What to do about a node that does not answer at its ticket, from why it does not. */
export function adviceForTicket(reason: string): string {
  const again = '`longshore node ticket --data DIR` prints it where the node runs'
  if (SOMEBODY_ELSE.test(reason)) {
    return `Somebody else answers there: the ticket may be mistyped, or out of date. Get it again: ${again}.`
  }
  return `Check that the node runs; if it does, the ticket may be mistyped, or out of date: ${again}.`
}

/** One sentence: the advice of the code, or one that fits the case better. */
export function adviceFor({ code, details, next }: LongshoreError): string {
  return ADVICE[code]?.(details) ?? next
}

function aboutNotFound(details: Details): string | undefined {
  if ('path' in details) {
    return 'Choose a home with --home or LONGSHORE_HOME, or make this one with `longshore create` or `longshore connect`.'
  }
  if ('data' in details) {
    return 'Choose the data directory of a node with --data, or make one with `longshore node run`.'
  }
  if ('capsule' in details) {
    return 'See `longshore node status` for the capsules that the node mirrors.'
  }
  if ('mirrors' in details) {
    return 'Check the name; if it is right, its owner lets this home not read it, or no copy has arrived yet.'
  }
  if ('mirror' in details) {
    return `See \`longshore mirror list ${details['name']}\` for the mirrors of the capsule.`
  }
  if (details['size'] === 0) return `Append to it first: \`longshore append ${details['name']}\`.`
  if (details['type'] === 'domain') {
    return 'Use the home in which the domain was made, or make one with `longshore domain new`.'
  }
  if ('type' in details) return 'See `longshore id list` for the identities of this home.'
  if ('name' in details) {
    return 'See `longshore list` for those of this home; others are read from mirrors after `longshore connect`, or come in with `longshore import`.'
  }
  return undefined
}

function aboutNoMirror(details: Details): string | undefined {
  if ('kept' in details) {
    return adviceForTicket(String(details['reason'] ?? ''))
  }
  if (details['nodes'] === 0) {
    return 'Get the ticket of a node from its operator, then: `longshore connect TICKET`.'
  }
  if (SOMEBODY_ELSE.test(String(details['reason'] ?? ''))) {
    return adviceForTicket(String(details['reason']))
  }
  if ('nodes' in details) {
    return 'Check that this machine has a network and the nodes run; `longshore connect TICKET` adds another.'
  }
  if ('holding' in details) {
    const { name } = details
    const status = `\`longshore status ${name}\` shows which mirrors answer`
    return `${status}; \`longshore push\` delivers what they lack.`
  }
  if ('mirrors' in details) {
    return 'Ask for fewer mirrors or an older statement, or connect to more nodes that hold the capsule.'
  }
  if ('name' in details) {
    return 'Check the name, and connect to a node that holds the capsule: `longshore connect TICKET`.'
  }
  return undefined
}

function aboutImpossibleLevel({ name, copies, possible, known }: Details): string | undefined {
  if (typeof known !== 'number' || typeof copies !== 'number') return undefined
  const add = `add one: \`longshore mirror add ${name} PRINCIPAL\``
  if (known < copies) return `Ask for at most ${possible} copies, or ${add}.`
  const list = `\`longshore mirror list ${name}\` says why mirrors do not count`
  return `${list}; \`mirror add\` renews a grant that is over.`
}
