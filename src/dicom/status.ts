/** DIMSE status codes by name (PS3.7 Annex C; PS3.4 K.4.1.1.4 for the worklist). */
export const dimseStatus = {
  success: 0x0000,
  /** C-FIND: a match, every key was supported. */
  pending: 0xff00,
  /** C-FIND: a match, some optional key was not supported. */
  pendingWithUnsupportedKeys: 0xff01,
  cancel: 0xfe00,
  outOfResources: 0xa700,
  identifierDoesNotMatchSopClass: 0xa900,
  /** Any Cxxx is `unable to process`; this one is an internal error. */
  unableToProcess: 0xc001,
  noSuchAttribute: 0x0105,
  invalidAttributeValue: 0x0106,
  attributeListError: 0x0107,
  processingFailure: 0x0110,
  duplicateSopInstance: 0x0111,
  noSuchSopInstance: 0x0112,
  invalidSopInstance: 0x0117,
  noSuchSopClass: 0x0118,
  missingAttribute: 0x0120,
  missingAttributeValue: 0x0121,
  sopClassNotSupported: 0x0122,
  unrecognizedOperation: 0x0211,
} as const;

/** Command Field (0000,0100) of the requests that are answered (PS3.7 E.1); a response has bit 15 set. */
export const commandField = {
  cFind: 0x0020,
  cEcho: 0x0030,
  nGet: 0x0110,
  nSet: 0x0120,
  nCreate: 0x0140,
  cCancel: 0x0fff,
} as const;

/** Set in the Command Field of every response (PS3.7 E.1-1). */
export const RESPONSE = 0x8000;

/** Command Data Set Type (0000,0800): no data set follows; every other value says that one does. */
export const NO_DATASET = 0x0101;

export const sopClass = {
  verification: '1.2.840.10008.1.1',
  modalityWorklistFind: '1.2.840.10008.5.1.4.31',
  modalityPerformedProcedureStep: '1.2.840.10008.3.1.2.3.3',
  modalityPerformedProcedureStepRetrieve: '1.2.840.10008.3.1.2.3.4',
  instanceAvailabilityNotification: '1.2.840.10008.5.1.4.33',
  studyRootFind: '1.2.840.10008.5.1.4.1.2.2.1',
} as const;

const { cEcho, cFind, cCancel, nCreate, nGet, nSet } = commandField;

/** The operations of each SOP class that can be served; everything else is 0211. */
export const operations: Readonly<Record<string, readonly number[]>> = {
  [sopClass.verification]: [cEcho],
  [sopClass.modalityWorklistFind]: [cFind, cCancel],
  [sopClass.studyRootFind]: [cFind, cCancel],
  [sopClass.modalityPerformedProcedureStep]: [nCreate, nSet],
  [sopClass.modalityPerformedProcedureStepRetrieve]: [nGet],
  [sopClass.instanceAvailabilityNotification]: [nCreate],
};

/** The SOP class of the instances that a SOP class retrieves (PS3.4 F.8). */
export const instancesOfRetrieval: Readonly<Record<string, string>> = {
  [sopClass.modalityPerformedProcedureStepRetrieve]: sopClass.modalityPerformedProcedureStep,
};
