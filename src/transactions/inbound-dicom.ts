import type { MppsRefusal } from '../workflow/mpps-rules.ts';
import type { Confirmation } from '../workflow/vocabulary.ts';
import { SwfError, describeError, toSwfError } from '../platform/errors.ts';
import { type InboundMessage, admitRequest, journalRefusal, noteAnswer, remark } from '../store/messages.ts';
import type { Department } from './department.ts';
import { journalRefused } from './refusals.ts';
import { type Cause, type Unit, runUnit } from './unit-of-work.ts';

/** A DIMSE N-CREATE or N-SET as the wire hands it over. */
export interface DicomRequest {
  readonly transaction: string;
  readonly messageType: 'N-CREATE' | 'N-SET';
  readonly sopInstanceUid: string;
  readonly callingAeTitle: string;
  readonly raw: Uint8Array;
  readonly transferSyntaxUid: string;
}

/** What the DIMSE response says. */
export interface DicomAnswer {
  readonly status: number;
  readonly sopInstanceUid: string;
  readonly comment?: string;
  readonly errorId?: number;
  readonly attributeIdentifierList?: readonly string[];
}

/** A DICOM request that is being carried out. */
export interface InboundDicom {
  readonly request: DicomRequest;
  readonly messageId: number;
  readonly cause: Cause;
  /** What confirms the transaction: our response. */
  readonly confirmation: Confirmation;
  /** What was odd about it, for the journal. */
  readonly remarks: string[];
}

/** What follows from a refusal all the same, in the unit that journals it. */
type Afterwards = (unit: Unit, refused: Pick<InboundDicom, 'request' | 'cause'>) => Promise<void>;

/** A refusal that the standard foresees, thrown to roll back the unit that admitted the request. */
export class RequestRefused extends Error {
  readonly refusal: MppsRefusal;
  readonly afterwards: Afterwards | undefined;

  constructor(refusal: MppsRefusal, afterwards?: Afterwards) {
    super(refusal.comment);
    this.name = 'RequestRefused';
    this.refusal = refusal;
    this.afterwards = afterwards;
  }
}

/** A DIMSE status in four hexadecimal digits. */
export function statusText(status: number): string {
  return status.toString(16).toUpperCase().padStart(4, '0');
}

function inboundMessage(request: DicomRequest, at: Date): InboundMessage {
  return {
    protocol: 'DICOM',
    transaction: request.transaction,
    messageType: request.messageType,
    controlId: request.sopInstanceUid,
    sendingApplication: request.callingAeTitle,
    sendingFacility: '',
    raw: request.raw,
    transferSyntaxUid: request.transferSyntaxUid,
    at,
  };
}

/** Runs one DICOM request as a unit; a refusal rolls it back, is journalled and becomes the response. */
export async function carryOutRequest(
  department: Department,
  request: DicomRequest,
  work: (unit: Unit, inbound: InboundDicom) => Promise<Partial<DicomAnswer> | undefined>,
): Promise<DicomAnswer> {
  const at = department.clock.now();
  const message = inboundMessage(request, at);
  const { sopInstanceUid, callingAeTitle } = request;
  const fields = { transaction: request.transaction, peer: callingAeTitle };
  try {
    const answer = await runUnit(department, async (unit) => {
      const messageId = await admitRequest(unit.tx, message, '0000');
      const confirmation: Confirmation = {
        kind: 'response',
        peer: callingAeTitle,
        messageId,
        code: '0000',
        at: at.toISOString(),
      };
      const cause = { messageId, causedBy: callingAeTitle, at };
      const remarks: string[] = [];
      const said = await work(unit, { request, messageId, cause, confirmation, remarks });
      if (said?.status !== undefined) await noteAnswer(unit.tx, messageId, statusText(said.status));
      await remark(unit.tx, messageId, remarks);
      return said;
    });
    const done = { status: 0x0000, sopInstanceUid, ...answer };
    const durationMs = department.clock.now().getTime() - at.getTime();
    department.log.info({ ...fields, outcome: statusText(done.status), durationMs }, 'dicom request');
    return done;
  } catch (error) {
    const refusal = refusalOf(department, error);
    department.log.warn(
      { ...fields, outcome: statusText(refusal.status), error: refusal.comment },
      'dicom request refused',
    );
    await journalled(department, { request, message, refusal }, error);
    return { sopInstanceUid, ...refusal };
  }
}

interface Refused {
  readonly request: DicomRequest;
  readonly message: InboundMessage;
  readonly refusal: MppsRefusal;
}

/** The refusal in the journal, and what follows from it; where that cannot be done, the request is still answered. */
async function journalled(department: Department, refused: Refused, thrown: unknown): Promise<void> {
  const { request, message, refusal } = refused;
  const answer = { code: statusText(refusal.status) };
  const afterwards = thrown instanceof RequestRefused ? thrown.afterwards : undefined;
  if (afterwards) {
    try {
      return await runUnit(department, async (unit) => {
        const messageId = await journalRefusal(unit.tx, message, answer, refusal.comment);
        await afterwards(unit, { request, cause: { messageId, causedBy: request.callingAeTitle, at: message.at } });
      });
    } catch (error) {
      department.log.error(describeError(error), 'what follows a refusal could not be done');
    }
  }
  await journalRefused(department, message, answer, refusal.comment);
}

function refusalOf(department: Department, error: unknown): MppsRefusal {
  if (error instanceof RequestRefused) return error.refusal;
  if (!(error instanceof SwfError)) department.log.error(describeError(error), 'a request could not be carried out');
  const failure = toSwfError(error);
  // (0000,0902) is an LO of at most 64 characters.
  return { status: failure.failure.dimse, comment: failure.message.slice(0, 64) };
}
