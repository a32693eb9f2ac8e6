import type { ProcedureContext } from './procedure-context.ts';

/** What a transition asks for; carried out by rendering messages in the same database transaction. */
export type Effect =
  | { readonly name: 'announceProcedure'; readonly destinations: readonly string[] }
  /** RAD-13, to whom RAD-4 went. */
  | {
      readonly name: 'updateProcedure';
      readonly destinations: readonly string[];
      readonly control: ProcedureUpdateControl;
    }
  /** RAD-48 */
  | { readonly name: 'notifyAppointment'; readonly triggerEvent: 'S12' | 'S13' | 'S15' }
  /** ORU^R01 to the order placer. */
  | { readonly name: 'sendResult'; readonly report: 'preliminary' | 'final' | 'corrected' };

/** ORC-1 and ORC-5 of RAD-13 (RAD TF-2 4.13). */
export type ProcedureUpdateControl = 'CA/CA' | 'DC/CA' | 'XO/SC' | 'XO/CM';

/** Image managers and report managers hear of a change once they have been told of the procedure (RAD-13 after RAD-4). */
export const updateProcedure = (control: ProcedureUpdateControl) => ({
  type: 'effect' as const,
  params: ({ context }: { context: ProcedureContext }) => ({
    name: 'updateProcedure' as const,
    destinations: Object.keys(context.announcements),
    control,
  }),
});

/** RAD-48. */
export const notifyAppointment = (triggerEvent: 'S12' | 'S13' | 'S15') => ({
  type: 'effect' as const,
  params: { name: 'notifyAppointment' as const, triggerEvent },
});
