import { componentOf } from './mesa-message.ts';

/** The parts of a name from its first component on: family, given, middle, suffix, prefix (HL7 v2.5.1 2.A.88, 2.A.91). */
function personName(field: string, first: number): string {
  const part = (n: number): string => componentOf(field, first + n).split('&')[0] ?? '';
  // DICOM has the prefix before the suffix (PS3.5 6.2.1.1).
  const parts = [part(0), part(1), part(2), part(4), part(3)];
  return parts.join('^').replace(/\^+$/, '');
}

/** PID-5 (XPN) as a person name of DICOM. */
export const nameOfPatient = (field: string): string => personName(field, 1);

/** PV1-8, ORC-12 (XCN) as a person name of DICOM. */
export const nameOfPerson = (field: string): string => personName(field, 2);
