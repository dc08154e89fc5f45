/**
 * What a mirror may say that is not so. Each changes the messages of an otherwise correct mirror;
 * it has that mirror's keys, and nobody else's.
 *
 * @module
 */
import { asHash, asSignature, formatHex } from '@longshore/capsule'
import type { ServiceEffect } from '@longshore/engine'
import {
  decodeMessage,
  encodeMessage,
  isControlMessage,
  type Lie,
  type Prng,
} from '@longshore/engine/testing'

type Message = ReturnType<typeof decodeMessage>
type Opened = Extract<Message, { kind: 'opened' }>

/** Shows the first head that it ever had, for ever. */
function rollback(): Lie {
  const first = new Map<string, Opened>()
  return changing((message) => {
    if (message.kind !== 'opened' || message.head === null) return message
    const key = formatHex(message.manifest.subarray(0, 200))
    const shown = first.get(key) ?? message
    first.set(key, shown)
    return { ...shown, id: message.id }
  })
}

/** Takes everything, gives nothing: no entries, no payloads, no ends. */
function withhold(): Lie {
  return (effects) => effects.filter((effect) => effect.type !== 'send' || !effect.isBulk)
}

/** States more than was pushed, other trees, and with noise for a signature. */
function falseReceipt(prng: Prng): Lie {
  return changing((message) => {
    if (message.kind !== 'receipt') return message
    switch (prng.below(3)) {
      case 0:
        return { ...message, size: message.size + 1 }
      case 1:
        return { ...message, root: asHash(prng.bytes(32)) }
      default:
        return { ...message, signature: asSignature(prng.bytes(64)) }
    }
  })
}

/** Flips a bit of what it serves now and then. */
function forgery(prng: Prng): Lie {
  return (effects) =>
    effects.map((effect) => {
      if (effect.type !== 'send' || !effect.isBulk || prng.chance(0.7)) return effect
      const message = effect.message.slice()
      const at = prng.below(message.length)
      message[at] = (message[at] as number) ^ (1 << prng.below(8))
      return { ...effect, message }
    })
}

export const LIES: readonly ((prng: Prng) => Lie)[] = [rollback, withhold, falseReceipt, forgery]

function changing(change: (message: Message) => Message): Lie {
  const changed = (effect: ServiceEffect): ServiceEffect => {
    if (effect.type !== 'send' || !isControlMessage(effect.message)) return effect
    return { ...effect, message: encodeMessage(change(decodeMessage(effect.message))) }
  }
  return (effects) => effects.map(changed)
}
