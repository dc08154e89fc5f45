/**
 * A service whose words are changed on their way out: a node that lies, with real keys.
 *
 * @module
 */
import type { Service, ServiceEffect } from '../node/service.ts'

/** What is said instead. */
export type Lie = (effects: readonly ServiceEffect[]) => readonly ServiceEffect[]

export function lyingService(service: Service, lie: Lie): Service {
  return {
    ...service,
    opened: (session, peer, target) => lie(service.opened(session, peer, target)),
    closed: (session, target, error) => lie(service.closed(session, target, error)),
    receive: (session, message) => lie(service.receive(session, message)),
    work: () => lie(service.work?.() ?? []),
    tick: () => lie(service.tick?.() ?? []),
    learn: (name, others) => lie(service.learn?.(name, others) ?? []),
  }
}
