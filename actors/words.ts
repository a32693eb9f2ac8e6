import { type ActorKind, kindOf } from './scenario.ts';

/** What the actors are, for somebody who does not know IHE. */
const actorNames: Readonly<Record<ActorKind, readonly [name: string, what: string]>> = {
  ADT: ['Patient registration', 'says who is a patient'],
  OP: ['Order Placer', 'where examinations are ordered: the system of the wards'],
  IM: ['Image Manager', 'the image archive'],
  RM: ['Report Manager', 'where findings are kept'],
  MOD: ['Modality', 'the machine that makes the images'],
};

/** The name of an actor and what it is. */
export function actorWords(actor: string): readonly [name: string, what: string] {
  if (actor === 'OF') return ['Order Filler', 'plans the examinations of the department; this is what is tested'];
  if (actor === 'staff') return ['Staff', 'people who work with the Order Filler'];
  const kind = kindOf(actor);
  return kind === undefined ? [actor, ''] : actorNames[kind];
}

/** The transactions of IHE Radiology that scenarios play (RAD TF-2). */
const transactionNames: Readonly<Record<string, string>> = {
  'RAD-1': 'Patient Registration',
  'RAD-2': 'Placer Order Management',
  'RAD-3': 'Filler Order Management',
  'RAD-4': 'Procedure Scheduled',
  'RAD-5': 'Query Modality Worklist',
  'RAD-6': 'Modality Procedure Step In Progress',
  'RAD-7': 'Modality Procedure Step Completed/Discontinued',
  'RAD-8': 'Modality Images Stored',
  'RAD-11': 'Image Availability Query',
  'RAD-12': 'Patient Update',
  'RAD-13': 'Procedure Update',
  'RAD-48': 'Appointment Notification',
  'RAD-49': 'Instance Availability Notification',
};

/** `RAD-4`: Procedure Scheduled; undefined for others. */
export function transactionName(transaction: string): string | undefined {
  return transactionNames[transaction];
}
