/**
 * What the mirror of a node wants stored, as transactions of the node's home.
 *
 * @module
 */
import type { Transaction, TransactionSource } from '@longshore/client/node'
import type { Mirror, MirrorEffect } from '@longshore/engine'

export interface MirrorTransactionsOptions {
  readonly mirror: () => Mirror | undefined
  /** What the mirror says once its transaction is through. */
  readonly tell: (effects: readonly MirrorEffect[]) => void
  /** After a transaction failed: the store may have, too. */
  readonly failed: () => void
}

export function mirrorTransactions(options: MirrorTransactionsOptions): TransactionSource {
  const { mirror, tell, failed } = options
  return {
    hasBacklog: false,
    cut: (): Transaction | undefined => {
      const cut = mirror()?.cut()
      if (cut === undefined) return undefined
      return {
        ops: cut.ops,
        durable: () => cut.durable(),
        committed: () => tell(cut.committed()),
        failed: (error) => {
          tell(cut.failed(error))
          failed()
        },
      }
    },
  }
}
