/**
 * What the reason of a discontinued MPPS means for its step (PS3.16 CID 9300 and neighbours; RAD TF-2 4.7):
 * `wrongEntry`: another worklist entry was meant, the step is open again; `ends`: the examination will not take place;
 * `decide`: a person has to say how it goes on, the step stays as it is.
 */
export type DiscontinuationEffect = 'wrongEntry' | 'ends' | 'decide';

interface DiscontinuationReason {
  readonly meaning: string;
  readonly effect: DiscontinuationEffect;
}

/** Codes of the scheme DCM. */
export const discontinuationReasons: Readonly<Record<string, DiscontinuationReason>> = {
  '110500': { meaning: 'doctor cancelled procedure', effect: 'ends' },
  '110501': { meaning: 'equipment failure', effect: 'decide' },
  '110502': { meaning: 'incorrect procedure ordered', effect: 'decide' },
  '110503': { meaning: 'patient allergic to media or contrast', effect: 'ends' },
  '110504': { meaning: 'patient died', effect: 'ends' },
  '110505': { meaning: 'patient refused to continue', effect: 'decide' },
  '110506': { meaning: 'patient taken for treatment or surgery', effect: 'decide' },
  '110507': { meaning: 'patient did not arrive', effect: 'decide' },
  '110508': { meaning: 'patient pregnant', effect: 'ends' },
  '110509': { meaning: 'change of procedure for correct charging', effect: 'decide' },
  '110510': { meaning: 'duplicate order', effect: 'ends' },
  '110511': { meaning: 'nursing unit cancel', effect: 'ends' },
  '110512': { meaning: 'incorrect side ordered', effect: 'decide' },
  '110513': { meaning: 'discontinued for unspecified reason', effect: 'decide' },
  '110514': { meaning: 'incorrect worklist entry selected', effect: 'wrongEntry' },
  '110515': { meaning: 'patient condition prevented continuing', effect: 'decide' },
  '110516': { meaning: 'equipment change', effect: 'decide' },
  '110518': { meaning: 'patient movement', effect: 'decide' },
  '110519': { meaning: 'operator error', effect: 'decide' },
  '110521': { meaning: 'objects incorrectly formatted', effect: 'decide' },
  '110522': { meaning: 'object types not supported', effect: 'decide' },
  '110523': { meaning: 'object set incomplete', effect: 'decide' },
  '110524': { meaning: 'media failure', effect: 'decide' },
  '110526': { meaning: 'resource pre-empted', effect: 'decide' },
  '110527': { meaning: 'resource inadequate', effect: 'decide' },
  '110528': { meaning: 'discontinued, a new step has been scheduled', effect: 'decide' },
  '110529': { meaning: 'discontinued, rescheduling recommended', effect: 'decide' },
};

/** The effect of a reason; no reason, or one that is not in the table, is for a person to decide. */
export function discontinuationEffect(
  reason: { readonly code: string | undefined; readonly scheme: string | undefined } | undefined,
): DiscontinuationEffect {
  if (reason?.code === undefined || reason.scheme !== 'DCM') return 'decide';
  return discontinuationReasons[reason.code]?.effect ?? 'decide';
}
