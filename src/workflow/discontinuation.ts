/**
 * What the reason of a discontinued MPPS means for its step (PS3.16 CID 9300 and neighbours; RAD TF-2 4.7):
 * `wrongEntry`: another worklist entry was meant, the step is open again; `ends`: the examination will not take place;
 * `cancelsOrder`: it will not, for its order should not be there, which RAD-3 says with OC; `holds`: what was ordered is
 * wrong, the step is off the worklist until staff have corrected and released it; `decide`: a person has to say how it
 * goes on, the step stays as it is.
 */
export type DiscontinuationEffect = 'wrongEntry' | 'ends' | 'cancelsOrder' | 'holds' | 'decide';

/** What a person decided of a discontinued MPPS: it was enough, or the step is performed again. */
export type Decided = 'accepted' | 'repeated';

/** What the department usually does next. */
export type DiscontinuationProposal = 'none' | 'reschedule' | 'change' | 'continue' | 'look';

interface DiscontinuationReason {
  readonly meaning: string;
  readonly effect: DiscontinuationEffect;
  readonly proposal: DiscontinuationProposal;
}

/** Codes of the scheme DCM. */
export const discontinuationReasons: Readonly<Record<string, DiscontinuationReason>> = {
  '110500': { meaning: 'doctor cancelled procedure', effect: 'ends', proposal: 'none' },
  '110501': { meaning: 'equipment failure', effect: 'decide', proposal: 'reschedule' },
  '110502': { meaning: 'incorrect procedure ordered', effect: 'holds', proposal: 'change' },
  '110503': { meaning: 'patient allergic to media or contrast', effect: 'ends', proposal: 'none' },
  '110504': { meaning: 'patient died', effect: 'ends', proposal: 'none' },
  '110505': { meaning: 'patient refused to continue', effect: 'decide', proposal: 'reschedule' },
  '110506': { meaning: 'patient taken for treatment or surgery', effect: 'decide', proposal: 'reschedule' },
  '110507': { meaning: 'patient did not arrive', effect: 'decide', proposal: 'reschedule' },
  '110508': { meaning: 'patient pregnant', effect: 'ends', proposal: 'none' },
  '110509': { meaning: 'change of procedure for correct charging', effect: 'decide', proposal: 'change' },
  '110510': { meaning: 'duplicate order', effect: 'cancelsOrder', proposal: 'none' },
  '110511': { meaning: 'nursing unit cancel', effect: 'cancelsOrder', proposal: 'none' },
  '110512': { meaning: 'incorrect side ordered', effect: 'holds', proposal: 'change' },
  '110513': { meaning: 'discontinued for unspecified reason', effect: 'decide', proposal: 'look' },
  '110514': { meaning: 'incorrect worklist entry selected', effect: 'wrongEntry', proposal: 'none' },
  '110515': { meaning: 'patient condition prevented continuing', effect: 'decide', proposal: 'reschedule' },
  '110516': { meaning: 'equipment change', effect: 'decide', proposal: 'continue' },
  '110518': { meaning: 'patient movement', effect: 'decide', proposal: 'continue' },
  '110519': { meaning: 'operator error', effect: 'decide', proposal: 'continue' },
  '110521': { meaning: 'objects incorrectly formatted', effect: 'decide', proposal: 'look' },
  '110522': { meaning: 'object types not supported', effect: 'decide', proposal: 'look' },
  '110523': { meaning: 'object set incomplete', effect: 'decide', proposal: 'look' },
  '110524': { meaning: 'media failure', effect: 'decide', proposal: 'look' },
  '110526': { meaning: 'resource pre-empted', effect: 'decide', proposal: 'reschedule' },
  '110527': { meaning: 'resource inadequate', effect: 'decide', proposal: 'reschedule' },
  '110528': { meaning: 'discontinued, a new step has been scheduled', effect: 'decide', proposal: 'look' },
  '110529': { meaning: 'discontinued, rescheduling recommended', effect: 'decide', proposal: 'reschedule' },
};

/** (0040,0281) as the modality gave it. */
export interface GivenReason {
  readonly code: string | undefined;
  readonly scheme: string | undefined;
}

/** The row of a reason; undefined for none, and for one that is not in the table. */
export function discontinuationReason(reason: GivenReason | undefined): DiscontinuationReason | undefined {
  if (reason?.code === undefined || reason.scheme !== 'DCM') return undefined;
  return Object.hasOwn(discontinuationReasons, reason.code) ? discontinuationReasons[reason.code] : undefined;
}

/** The effect of a reason; no reason, or one that is not in the table, is for a person to decide. */
export function discontinuationEffect(reason: GivenReason | undefined): DiscontinuationEffect {
  return discontinuationReason(reason)?.effect ?? 'decide';
}
