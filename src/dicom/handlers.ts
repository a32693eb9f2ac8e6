import type { Dataset } from './dataset.ts';

/** Who asks, and on which association. */
export interface RequestContext {
  readonly callingAeTitle: string;
  readonly calledAeTitle: string;
  readonly remoteAddress: string;
  readonly sopClassUid: string;
  /** The data set of the request as it was received; empty when there was none. */
  readonly raw: Uint8Array;
  readonly transferSyntaxUid: string;
  /** Aborted when the answer is no longer wanted: the association is gone, or the query was cancelled. */
  readonly signal: AbortSignal;
}

/** One match of a C-FIND; FF01 says that some optional key was not supported (PS3.4 K.4.1.1.4). */
export interface FindRow {
  readonly status: 0xff00 | 0xff01;
  readonly dataset: Dataset;
}

/** The final response of a C-FIND when it is not plain success. */
export interface FinalStatus {
  readonly status: number;
  /** Error Comment (0000,0902), cut to 64 characters. */
  readonly comment?: string;
  /** Offending Element (0000,0901): tags of eight hexadecimal digits. */
  readonly offendingElements?: readonly string[];
}

/**
 * The matches, pulled one at a time as the other side takes them. The end is success unless a final status is returned
 * or a SwfError is thrown. `afterwards` is called once, after the final response, cancelled answers included; not when
 * the association was lost.
 */
export interface FindAnswer extends AsyncIterable<FindRow, FinalStatus | undefined | void> {
  readonly afterwards?: (rowsSent: number) => void;
}

/** N-CREATE or N-SET (PS3.7 10.1.5, 10.1.3). */
export interface NRequest {
  readonly sopClassUid: string;
  /** N-CREATE may leave it to the SCP: then undefined. */
  readonly sopInstanceUid: string | undefined;
  readonly dataset: Dataset;
  /** The bytes of the data set as received. */
  readonly raw: Uint8Array;
  readonly transferSyntaxUid: string;
}

/** N-GET (PS3.7 10.1.2). */
export interface NGetRequest {
  readonly sopInstanceUid: string | undefined;
  /** Attribute Identifier List (0000,1005): tags of eight hexadecimal digits; none asks for all attributes. */
  readonly attributeIdentifierList: readonly string[];
}

export interface NResponse {
  readonly status: number;
  /** The instance that was created, when it is not the one asked for. */
  readonly sopInstanceUid?: string;
  readonly comment?: string;
  readonly errorId?: number;
  /** Attribute Identifier List (0000,1005): tags of eight hexadecimal digits. */
  readonly attributeIdentifierList?: readonly string[];
  /** N-GET: what was asked for, as it was received. */
  readonly dataset?: Dataset;
  /** Called when the response was written. */
  readonly afterwards?: () => void;
}

/** What the department does; a rejection with a SwfError becomes its DIMSE status. */
export interface DicomHandlers {
  find(identifier: Dataset, context: RequestContext): FindAnswer;
  nCreate(request: NRequest, context: RequestContext): Promise<NResponse>;
  nSet(request: NRequest, context: RequestContext): Promise<NResponse>;
  /** Left out where no instances are kept: then N-GET is an operation that is not there. */
  nGet?(request: NGetRequest, context: RequestContext): Promise<NResponse>;
}
