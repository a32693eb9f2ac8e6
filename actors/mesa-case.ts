import type { Dataset } from '../src/dicom/dataset.ts';
import type { MesaCodes } from './mesa-codes.ts';
import type { MesaKit } from './mesa-kit.ts';
import type { FieldsOfMessage } from './mesa-message.ts';
import type { Examination, MesaPlan } from './mesa-plan.ts';
import type { Staff } from './mesa-staff.ts';
import { type Check, type Verdict, verdict } from './checks.ts';
import type { Senders, Stage } from './stage.ts';
import type { Transcript } from './transcript.ts';

/** One value that was not as expected. */
export type Mismatch = Pick<Verdict, 'place' | 'expected' | 'received'>;

/** Compares one value with one check; undefined when it holds. */
export function mismatch(place: string, check: Check, received: string | null | undefined): Mismatch | undefined {
  const { holds, ...seen } = verdict(place, check, received);
  return holds ? undefined : seen;
}

/** A step as it was played. */
export interface MesaOutcome {
  readonly mismatches: readonly Mismatch[];
  /** What kept it from going on, a sentence each. */
  readonly problems: readonly string[];
  /** The messages and datasets, in the transcript. */
  readonly files: readonly string[];
  /** How many values were compared, or had to be there. */
  readonly compared: number;
  /** What a person should know of a step that passed. */
  readonly notes: readonly string[];
  /** Why it was not played. */
  readonly skipped?: string;
}

/** What a modality has told of an examination. */
export interface Performed {
  readonly uid: string;
  readonly studyInstanceUid: string;
  readonly created: Dataset;
  readonly set?: Dataset;
}

/** Who plays: the peers of the site that stand for the kit's Order Placer and Image Manager. */
export interface Parts {
  readonly OP: string;
  readonly IM: string;
  /** Whether the Image Manager has a DICOM address, and what is played against passes MPPS on to it. */
  readonly relays: boolean | undefined;
}

/** An order of the script, by the placer's number. */
export interface KnownOrder {
  readonly service: string;
  readonly patientId: string;
  readonly placerOrderNumber: string;
}

/** One playing of one script. */
export interface MesaCase {
  readonly plan: MesaPlan;
  readonly kit: MesaKit;
  readonly codes: MesaCodes;
  readonly stage: Stage;
  readonly senders: Senders;
  readonly parts: Parts;
  readonly staff: Staff;
  readonly transcript: Transcript;
  readonly signal: AbortSignal;
  /** How long is waited for what the Order Filler sends. */
  readonly withinMs: number;
  /** On the worklist now, as far as the script goes. */
  readonly scheduled: Set<Examination>;
  readonly performed: Map<Examination, Performed>;
  readonly orders: KnownOrder[];
  /** What came for a message of the kit, by the kit's name of it. */
  readonly received: Map<string, FieldsOfMessage>;
  /** What a person should have done and nobody did. */
  undone: string | undefined;
}

export const nothingWrong: MesaOutcome = { mismatches: [], problems: [], files: [], compared: 0, notes: [] };

export const broken = (problem: string, ...files: string[]): MesaOutcome => ({
  ...nothingWrong,
  problems: [problem],
  files,
});

export const skipped = (reason: string): MesaOutcome => ({ ...nothingWrong, skipped: reason });

/** The examination that a line names; the last of that name. */
export function examinationOf({ plan }: MesaCase, directory: string): Examination | undefined {
  return plan.examinations.findLast(({ directories }) => directories.has(directory));
}
