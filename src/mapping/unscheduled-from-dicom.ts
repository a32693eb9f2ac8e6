import { type Dataset, items, text } from '../dicom/dataset.ts';
import type { LocalDateTime } from '../platform/clock.ts';
import type { Code, CodedValue } from '../workflow/vocabulary.ts';
import { isoDayOf } from './patient-from-dicom.ts';

/** What an MPPS without an order says of itself: enough to make a requested procedure and a step of it. */
export interface UnscheduledStep {
  /** (0008,1032), else a text from the descriptions. */
  readonly code: CodedValue;
  readonly modality: string;
  readonly stationAeTitle: string;
  /** (0040,0244), (0040,0245) */
  readonly start: LocalDateTime | undefined;
  readonly description: string;
  /** (0040,0260) */
  readonly protocols: readonly Code[];
}

function codesIn(dataset: Dataset, sequence: string): Code[] {
  return items(dataset, sequence).flatMap((item) => {
    const code = text(item, 'CodeValue') ?? text(item, 'LongCodeValue');
    const scheme = text(item, 'CodingSchemeDesignator');
    return code === undefined || scheme === undefined
      ? []
      : [{ code, scheme, meaning: text(item, 'CodeMeaning') ?? code }];
  });
}

/** A checked N-CREATE data set as the step that it should have been scheduled as. */
export function unscheduledStepFromDicom(dataset: Dataset): UnscheduledStep {
  const [procedure] = codesIn(dataset, 'ProcedureCodeSequence');
  const described =
    text(dataset, 'PerformedProcedureStepDescription') ?? text(dataset, 'PerformedProcedureTypeDescription');
  const description = described ?? procedure?.meaning ?? 'unscheduled';
  return {
    code: procedure ?? { meaning: description },
    modality: text(dataset, 'Modality') ?? '',
    stationAeTitle: text(dataset, 'PerformedStationAETitle') ?? '',
    start: startOf(dataset),
    description: [...description].slice(0, 64).join(''),
    protocols: codesIn(dataset, 'PerformedProtocolCodeSequence'),
  };
}

function startOf(dataset: Dataset): LocalDateTime | undefined {
  const date = isoDayOf(text(dataset, 'PerformedProcedureStepStartDate'));
  const time = /^(\d{2})(\d{2})?(\d{2})?/.exec(text(dataset, 'PerformedProcedureStepStartTime') ?? '');
  if (date === undefined || !time) return undefined;
  const [, hour = '00', minute = '00', second = '00'] = time;
  // A leap second is a moment that a wall clock does not show.
  return { date, time: `${hour}:${minute}:${second === '60' ? '59' : second}` };
}
