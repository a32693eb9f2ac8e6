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

/** The transactions of IHE Radiology that scenarios play (RAD TF-2): the name, and what is said in plain words. */
const transactions: Readonly<Record<string, readonly [name: string, what: string]>> = {
  'RAD-1': ['Patient Registration', 'somebody is a patient now, or comes to stay'],
  'RAD-2': ['Placer Order Management', 'an examination is ordered, changed or called off by the wards'],
  'RAD-3': [
    'Filler Order Management',
    'the department tells the wards how their order fares, or orders something itself',
  ],
  'RAD-4': ['Procedure Scheduled', 'what was planned is told to the archive'],
  'RAD-5': ['Query Modality Worklist', 'the machine asks for its list of examinations'],
  'RAD-6': ['Modality Procedure Step In Progress', 'the machine says that it has begun'],
  'RAD-7': [
    'Modality Procedure Step Completed/Discontinued',
    'the machine says that it has ended, and which images it made',
  ],
  'RAD-8': ['Modality Images Stored', 'the machine gives its images to the archive'],
  'RAD-11': ['Image Availability Query', 'the department asks the archive whether it has the images'],
  'RAD-12': ['Patient Update', 'a patient has another name, place or number'],
  'RAD-13': ['Procedure Update', 'a planned examination is moved, changed or called off'],
  'RAD-20': ['Creator Procedure Step In Progress', 'a workstation says that it works on images'],
  'RAD-21': ['Creator Procedure Step Completed', 'a workstation says that it has ended, and what it made'],
  'RAD-28': ['Structured Report Export', 'a report, or what became of it'],
  'RAD-48': ['Appointment Notification', 'the wards learn when the examination is'],
  'RAD-49': ['Instance Availability Notification', 'the archive says which images it has'],
};

/** `RAD-4`: Procedure Scheduled; undefined for others. */
export function transactionName(transaction: string): string | undefined {
  return transactions[transaction]?.[0];
}

/** The name of a transaction and what it is for; undefined for others. */
export function transactionWords(transaction: string): readonly [name: string, what: string] | undefined {
  return transactions[transaction];
}

/** What the fields are that scenarios compare most. */
const fieldNames: Readonly<Record<string, string>> = {
  ...{
    'MSA-1': 'acknowledgement',
    'MSA-2': 'control id answered',
    'MSA-3': 'text',
    'MSH-9': 'type',
    'MSH-12': 'version',
  },
  ...{ 'EVN-1': 'event', 'PID-3': 'patient id', 'PID-5': 'patient name', 'PID-7': 'birth date', 'PID-8': 'sex' },
  ...{ 'PID-11': 'address', 'MRG-1': 'former patient id', 'MRG-7': 'former name', 'PV1-2': 'patient class' },
  ...{ 'PV1-3': 'location', 'PV1-19': 'visit number', 'ORC-1': 'order control', 'ORC-2': 'placer order number' },
  ...{ 'ORC-3': 'filler order number', 'ORC-5': 'order status', 'ORC-7': 'when', 'OBR-2': 'placer order number' },
  ...{
    'OBR-3': 'filler order number',
    'OBR-4': 'service',
    'OBR-13': 'clinical information',
    'OBR-18': 'accession number',
  },
  ...{ 'OBR-19': 'requested procedure id', 'OBR-20': 'scheduled step id', 'OBR-24': 'modality', 'OBR-27': 'when' },
  ...{ 'OBR-44': 'procedure code', 'TQ1-7': 'start', 'IPC-1': 'accession number', 'IPC-2': 'requested procedure id' },
  ...{ 'IPC-3': 'study', 'IPC-4': 'scheduled step id', 'IPC-5': 'modality', 'IPC-6': 'protocol', 'IPC-9': 'station' },
  ...{ 'ZDS-1': 'study', 'SCH-2': 'appointment', 'SCH-25': 'appointment status', 'AIS-3': 'service', 'AIS-4': 'start' },
  ...{ 'ERR-3': 'error', matches: 'how many matches', status: 'status of the answer' },
};

/** What a place holds, in words: `ORC-3.1` is a filler order number; undefined where it says so itself or is not known. */
export function placeWords(place: string): string | undefined {
  const hl7 = /^([A-Z][A-Z0-9]{2})(?:\[\d+\])?-(\d+)/.exec(place);
  return fieldNames[hl7 ? `${hl7[1]}-${hl7[2]}` : place];
}

/** What the codes of an answer mean. */
export const answerWords: Readonly<Record<string, string>> = {
  AA: 'accepted',
  CA: 'received',
  AE: 'refused: something in it is wrong',
  AR: 'rejected: not for this receiver, or not now',
  CE: 'refused on receipt',
  CR: 'rejected on receipt',
  '0000': 'done',
  '0110': 'processing failure: may no longer be changed',
  '0111': 'there is one with this UID already',
  '0112': 'there is none with this UID',
  '0120': 'an attribute is missing',
  '0106': 'a value is not allowed',
  FE00: 'cancelled by whoever asked',
};
