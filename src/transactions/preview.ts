import { readText } from '../hl7/message.ts';
import type { OutgoingMessage } from '../store/outbox.ts';
import type { Store, Tx } from '../store/prisma.ts';
import { type LaneView, lanesIn, readLanes } from '../store/read-destinations.ts';
import { type ProcedureShown, type UnitShown, proceduresNamed, shownSince } from '../store/read-unit.ts';

/** A message that would go out. */
export interface MessageShown {
  readonly destination: string;
  readonly transaction: string;
  readonly messageType: string;
  /** Segments on lines; of a data set only its size. */
  readonly text: string;
}

/** What a unit would do. */
export interface UnitPreview {
  readonly procedures: readonly { readonly before: ProcedureShown | undefined; readonly after: ProcedureShown }[];
  readonly history: UnitShown['history'];
  readonly messages: readonly MessageShown[];
  /** Lanes that it concerns. */
  readonly lanes: readonly { readonly before: LaneView; readonly after: LaneView }[];
}

/** Given to a department, its units are carried out, looked at and rolled back: nothing is stored, sent or told. */
export interface Preview {
  /** What each unit would have done. */
  readonly units: UnitPreview[];
}

export const createPreview = (): Preview => ({ units: [] });

/** A segment a line, without the last line end. */
export const segmentLines = (bytes: Uint8Array): string => (readText(bytes) ?? '').replaceAll('\r', '\n').trimEnd();

/** Messages as a person reads them. */
export function messagesShown(messages: readonly OutgoingMessage[]): MessageShown[] {
  return messages.map(({ destination, transaction, messageType, protocol, raw }) => {
    const text = protocol === 'HL7' ? segmentLines(raw) : `DICOM data set of ${raw.length} bytes`;
    return { destination, transaction, messageType, text };
  });
}

interface Looked {
  readonly messages: readonly OutgoingMessage[];
  readonly lanes: readonly string[];
  /** The newest line of the history before the unit began. */
  readonly lastLine: number;
}

/** What a unit has done so far, beside what everybody else still sees. */
export async function lookAt(tx: Tx, store: Store, { messages, lanes, lastLine }: Looked): Promise<UnitPreview> {
  const { procedures, history } = await shownSince(tx, lastLine);
  const ids = procedures.map(({ requestedProcedureId }) => requestedProcedureId);
  const before = await proceduresNamed(store.prisma, ids);
  const lanesBefore = lanes.length > 0 ? await readLanes(store, lanes) : [];
  const lanesAfter = lanes.length > 0 ? await lanesIn(tx, lanes) : [];
  return {
    procedures: procedures.map((after) => ({
      before: before.find((one) => one.requestedProcedureId === after.requestedProcedureId),
      after,
    })),
    history,
    messages: messagesShown(messages),
    lanes: lanes.flatMap((name) => {
      const [was, is] = [lanesBefore, lanesAfter].map((all) => all.find(({ destination }) => destination === name));
      return was && is ? [{ before: was, after: is }] : [];
    }),
  };
}
