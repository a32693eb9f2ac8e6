import { SwfError } from '../platform/errors.ts';
import {
  type NumberTaken,
  createTemporaryPatient,
  freeNumbers,
  takeTemporaryNumber,
} from '../store/temporary-patients.ts';
import { changedMeanwhile } from '../store/prisma.ts';
import type { PersonName } from '../workflow/vocabulary.ts';
import type { Actor, TemporaryPatient } from './actions.ts';
import { type Department, isTemporaryNumber, listedNumbers, temporaryAuthority } from './department.ts';
import { causeOf } from './actor-cause.ts';
import { type Unit, runUnit } from './unit-of-work.ts';

/**
 * Registers a patient whom nobody else has (RAD TF-1 4.4, PIR case 4): under the number that is named, or the next free
 * one of the department's list. Gives the number. Throws 'value-not-found' for a number that is not on the list,
 * 'state-forbids' where it, or every one, is in use.
 */
export async function registerTemporaryPatient(
  department: Department,
  patient: TemporaryPatient,
  actor: Actor,
): Promise<string> {
  const { config } = department;
  const { at } = causeOf(department, actor);
  const { modality, number } = patient;
  if (number !== undefined && !isTemporaryNumber(config, number))
    throw new SwfError('value-not-found', 'the number is not on the list (number; temporaryPatients.numbers)');
  return runUnit(department, async (unit) => {
    const assigningAuthority = temporaryAuthority(config);
    const numbers = number === undefined ? numbersFor(config, modality) : [number];
    const [value] = await freeNumbers(unit.tx, assigningAuthority, numbers);
    if (value === undefined) throw noneFree(patient);
    const taken = { value, assigningAuthority, modality, takenBy: actor.name, reason: actor.reason, at };
    await register(unit, patient, taken);
    return value;
  });
}

/** A part of the list that is one modality's is for nobody else. */
function numbersFor(config: Department['config'], modality: string | undefined): string[] {
  const { numbers } = listedNumbers(config);
  return numbers.filter((row) => row.modality === undefined || row.modality === modality).map(({ number }) => number);
}

async function register(
  { tx, department }: Unit,
  { name, birthDate, sex }: TemporaryPatient,
  taken: NumberTaken,
): Promise<void> {
  const { value, assigningAuthority, at } = taken;
  // Two patients whom nobody can name are not called the same.
  const unnamed: PersonName = { family: department.config.temporaryPatients.name, given: value };
  const patient = {
    identifiers: [{ value, assigningAuthority }],
    name: name && Object.keys(name).length > 0 ? name : unnamed,
    birthDate,
    sex,
    demographics: {},
  };
  const { id } = await createTemporaryPatient(tx, patient, { lent: assigningAuthority, at });
  if (!(await takeTemporaryNumber(tx, id, taken))) throw changedMeanwhile();
}

function noneFree({ number, modality }: TemporaryPatient): SwfError {
  if (number !== undefined) {
    const sentence =
      'the number is in use: reconcile its patient first (POST /api/patients/{id}/reconcile), or wait for the end of what a modality performs under it';
    return new SwfError('state-forbids', sentence);
  }
  const whose = modality === undefined ? '' : ' of that modality';
  const sentence = `no number${whose} is free: reconcile patients (POST /api/patients/{id}/reconcile), or lengthen the list (temporaryPatients.numbers)`;
  return new SwfError('state-forbids', sentence);
}
