import {
  type CoreStep,
  type ProcedureContext,
  acquisitionComplete,
  announcementConfirmed,
  imagesAvailable,
} from './procedure-context.ts';
import type { Confirmation } from './vocabulary.ts';

/** The eight transactions of the simple case, in the order of IHE RAD TF-1 3.3 (see docs/workflow.md). */
export const coreTransactions = ['RAD-1', 'RAD-2', 'RAD-4', 'RAD-5', 'RAD-6', 'RAD-8', 'RAD-7', 'RAD-49'] as const;

export interface CoreTransaction {
  readonly step: CoreStep;
  readonly transaction: (typeof coreTransactions)[number];
  readonly happened: boolean;
  readonly at: string | null;
  readonly confirmedBy: readonly Omit<Confirmation, 'at'>[];
}

/** For each of the eight: whether it has happened, when, and what confirmed it. */
export function transactionsOf(context: ProcedureContext): CoreTransaction[] {
  const happened: Readonly<Partial<Record<CoreStep, boolean>>> = {
    3: announcementConfirmed(context),
    7: acquisitionComplete(context) || context.completedBefore === true,
    // An instance that goes offline later does not undo that all were available once.
    8: imagesAvailable(context) || context.confirmations[8] !== undefined,
  };
  return coreTransactions.map((transaction, index) => {
    const step = (index + 1) as CoreStep;
    const confirmations = context.confirmations[step] ?? [];
    const done = happened[step] ?? confirmations.length > 0;
    const last = confirmations.at(step === 3 || step === 7 || step === 8 ? -1 : 0);
    const confirmedBy = confirmations.map(({ kind, peer, messageId, code }) => ({ kind, peer, messageId, code }));
    return { step, transaction, happened: done, at: done ? (last?.at ?? null) : null, confirmedBy };
  });
}
