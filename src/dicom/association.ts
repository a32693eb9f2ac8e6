import { DICOM_APPLICATION_CONTEXT } from './pdu.ts';
import type { AssociateRequest, ContextResult, ExtendedNegotiation, ProposedContext } from './pdu.ts';
import { sopClass } from './status.ts';
import { IMPLICIT_VR_LITTLE_ENDIAN, TRANSFER_SYNTAXES } from './vr.ts';

/** Who may associate, and for which SOP classes. */
export interface AssociationPolicy {
  readonly calledAeTitles: readonly string[] | 'any';
  readonly callingAeTitles: readonly string[] | 'any';
  readonly sopClasses: readonly string[];
  /** True while there is room for one more association. */
  readonly hasRoom: () => boolean;
}

/** An accepted presentation context. */
export interface AcceptedContext {
  readonly abstractSyntax: string;
  readonly transferSyntax: string;
}

export type Negotiation =
  | { readonly kind: 'rejected'; readonly reason: Rejection; readonly text: string }
  | {
      readonly kind: 'accepted';
      readonly results: readonly ContextResult[];
      readonly contexts: ReadonlyMap<number, AcceptedContext>;
      readonly extendedNegotiations: readonly ExtendedNegotiation[];
    };

type Rejection = readonly [result: number, source: number, reason: number];

interface Rule {
  /** A-ASSOCIATE-RJ result, source, reason (PS3.8 table 9-21). */
  readonly reason: Rejection;
  readonly text: string;
  readonly broken: (request: AssociateRequest, policy: AssociationPolicy) => boolean;
}

// Below this a fragment has hardly room for data; PS3.8 D.1 does not foresee such values, and 1 to 6 leave none at all.
const SMALLEST_MAX_PDU_LENGTH = 16;

const names = (titles: readonly string[] | 'any', title: string): boolean => titles === 'any' || titles.includes(title);

const RULES: readonly Rule[] = [
  {
    reason: [2, 2, 2],
    text: 'protocol version is not supported',
    broken: (request) => (request.protocolVersion & 1) === 0,
  },
  {
    reason: [1, 1, 2],
    text: 'application context is not supported',
    broken: (request) => request.applicationContext !== DICOM_APPLICATION_CONTEXT,
  },
  {
    reason: [1, 1, 7],
    text: 'called AE title is not ours',
    broken: (request, policy) => !names(policy.calledAeTitles, request.calledAeTitle),
  },
  {
    reason: [1, 1, 3],
    text: 'calling AE title is not known',
    broken: (request, policy) =>
      request.callingAeTitle === '' || !names(policy.callingAeTitles, request.callingAeTitle),
  },
  {
    reason: [1, 2, 1],
    text: 'no presentation context is proposed, or the maximum length leaves no room for data',
    broken: (request) =>
      request.contexts.length === 0 || (request.maxPduLength > 0 && request.maxPduLength < SMALLEST_MAX_PDU_LENGTH),
  },
  { reason: [2, 3, 2], text: 'too many associations', broken: (_, policy) => !policy.hasRoom() },
];

function resultFor(context: ProposedContext, policy: AssociationPolicy): ContextResult {
  const refused = { id: context.id, transferSyntax: context.transferSyntaxes[0] ?? IMPLICIT_VR_LITTLE_ENDIAN };
  if (!policy.sopClasses.includes(context.abstractSyntax)) return { ...refused, result: 3 };
  const transferSyntax = TRANSFER_SYNTAXES.find((syntax) => context.transferSyntaxes.includes(syntax));
  return transferSyntax ? { id: context.id, result: 0, transferSyntax } : { ...refused, result: 4 };
}

// PS3.4 K.5.1.1: byte 2 is fixed; neither fuzzy names (byte 3) nor time zone adjustment (byte 4) are offered.
const worklistExtension = ({ sopClassUid, information }: ExtendedNegotiation): ExtendedNegotiation => ({
  sopClassUid,
  information: Uint8Array.from([1, 1, 0, 0]).subarray(0, information.length),
});

/** Decides on an A-ASSOCIATE-RQ (PS3.8 7.1): a rejection, or a result for each presentation context. */
export function negotiate(request: AssociateRequest, policy: AssociationPolicy): Negotiation {
  const broken = RULES.find((rule) => rule.broken(request, policy));
  if (broken) return { kind: 'rejected', reason: broken.reason, text: broken.text };
  const results = request.contexts.map((context) => resultFor(context, policy));
  const contexts = new Map<number, AcceptedContext>();
  for (const [index, { abstractSyntax }] of request.contexts.entries()) {
    const result = results[index];
    if (result?.result === 0) contexts.set(result.id, { abstractSyntax, transferSyntax: result.transferSyntax });
  }
  const extendedNegotiations = request.extendedNegotiations
    .filter(
      ({ sopClassUid }) => sopClassUid === sopClass.modalityWorklistFind && policy.sopClasses.includes(sopClassUid),
    )
    .map(worklistExtension);
  return { kind: 'accepted', results, contexts, extendedNegotiations };
}
