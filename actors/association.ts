import { AssociationRejected } from '../src/dicom/client.ts';

/** Why an association is rejected, by source and reason of the A-ASSOCIATE-RJ (PS3.8 table 9-21). */
const rejections = {
  'no-reason-given': ['1.1', '2.1'],
  'application-context-name-not-supported': ['1.2'],
  'calling-ae-title-not-recognized': ['1.3'],
  'called-ae-title-not-recognized': ['1.7'],
  'protocol-version-not-supported': ['2.2'],
  'temporary-congestion': ['3.1'],
  'local-limit-exceeded': ['3.2'],
} as const satisfies Record<string, readonly string[]>;

export type Rejection = keyof typeof rejections;
export const rejectionNames = Object.keys(rejections) as [Rejection, ...Rejection[]];

/** The reason by its name; `source 1, reason 9` for one that the standard does not have, undefined for another error. */
export function rejectionOf(error: unknown): string | undefined {
  if (!(error instanceof AssociationRejected)) return undefined;
  const { source, reason } = error;
  const named = rejectionNames.find((name) => (rejections[name] as readonly string[]).includes(`${source}.${reason}`));
  return named ?? `source ${source}, reason ${reason}`;
}
