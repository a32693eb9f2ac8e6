import { readAck } from '../src/hl7/ack.ts';
import { readHeader } from '../src/hl7/message.ts';
import type { Mismatch } from './mesa-case.ts';
import { type MesaCase, type MesaOutcome, broken, nothingWrong, skipped } from './mesa-case.ts';
import { compareListsFor, compareMessages, placeName, shortly } from './mesa-compare.ts';
import { type FieldsOfMessage, addressed, fieldsOf } from './mesa-message.ts';
import type { KitMessage } from './mesa-plan.ts';
import { type Arrival, belongs } from './mailbox.ts';

/** Sends a message of the kit to the Order Filler with the names of the site; `fields` are filled in too. */
export async function sendMessage(
  played: MesaCase,
  { actor, message, prefix }: { actor: 'ADT' | 'OP'; message: KitMessage; prefix: string },
  fields: Readonly<Record<string, string>> = {},
): Promise<MesaOutcome> {
  const { stage, parts, transcript, withinMs } = played;
  const name = actor === 'ADT' ? actor : parts[actor];
  const bytes = addressed(message.bytes, {
    sender: stage.identityOf(name),
    receiver: stage.orderFillerIdentity,
    fields,
  });
  const sent = transcript.hl7(`${prefix}-${name}-sent`, bytes);
  const answer = await played.senders.of(name).send(bytes, withinMs);
  const files = [sent, transcript.hl7(`${prefix}-${name}-answer`, answer)];
  const ack = readAck(answer);
  if (!ack) return broken('the answer is no acknowledgement: it has no MSA', ...files);
  const controlId = readHeader(bytes)?.controlId ?? '';
  const wrong: Mismatch[] = [
    ...(ack.code === 'AA' || ack.code === 'CA'
      ? []
      : [{ place: 'MSA-1', expected: 'AA', received: ack.code || '(empty)' }]),
    ...(ack.controlId === controlId
      ? []
      : [{ place: 'MSA-2', expected: controlId, received: ack.controlId || '(empty)' }]),
  ];
  const said = wrong.length > 0 && ack.text !== undefined ? [`the answer says: ${ack.text}`] : [];
  return { ...nothingWrong, mismatches: wrong, problems: said, files, compared: 2 };
}

/** The kit's answer to an order of the department, with the numbers of the message that it answers. */
export async function sendReply(played: MesaCase, message: KitMessage, prefix: string): Promise<MesaOutcome> {
  const asked = [...played.received.values()].findLast((one) => one.field('ORC-1') === 'SN');
  if (!asked) return skipped('no order of the department came that it could answer');
  const filler = asked.field('ORC-3');
  const { fields } = message;
  played.orders.push({
    service: fields.component('OBR-4', 1),
    patientId: asked.component('PID-3', 1),
    placerOrderNumber: fields.component('ORC-2', 1),
  });
  const filled = {
    'MSA-2': asked.field('MSH-10'),
    'ORC-3': filler,
    ...(fields.field('OBR-3') ? { 'OBR-3': filler } : {}),
  };
  return sendMessage(played, { actor: 'OP', message, prefix }, filled);
}

interface Receiving {
  readonly actor: 'OP' | 'IM';
  readonly message: KitMessage;
  readonly since?: KitMessage;
  readonly prefix: string;
}

/** Waits for a message like the kit's and compares the two as the kit's lists say. */
export async function receiveMessage(played: MesaCase, receiving: Receiving): Promise<MesaOutcome> {
  const { kit, transcript } = played;
  const { actor, message, prefix } = receiving;
  const arrival = await claim(played, actor, message.fields);
  if (!arrival) return notArrived(played, actor, message.fields);
  const file = transcript.hl7(`${prefix}-${played.parts[actor]}-received`, arrival.raw);
  const received = fieldsOf(arrival.raw);
  if (!received) return broken('the message cannot be read as HL7', file);
  played.received.set(message.path, received);
  played.undone = undefined;
  const lists = compareListsFor(kit, message.path, message.fields);
  const compared = compareMessages(received, message.fields, lists);
  const own = ownChecks(played, receiving, received);
  const notes = [
    ...(lists.names.length === 0 ? ['not compared: the kit has no list for this kind of message'] : []),
    ...(compared.equal.length > 0 ? [`equal    ${shortly(compared.equal)}`] : []),
    ...(compared.present.length > 0 ? [`present  ${shortly(compared.present)}`] : []),
    ...(lists.without.length > 0 ? [`left out  ${lists.without.map(placeName).join('  ')}: the scheduled time`] : []),
    ...(own.places.length > 0 ? [`as before  ${shortly(own.places)}`] : []),
  ];
  return {
    mismatches: [...compared.mismatches, ...own.mismatches],
    problems: lists.problems.map(({ file: list, line, text }) => `${list}:${line ?? 0}  ${text}`),
    files: [file],
    compared: compared.equal.length + compared.present.length + own.places.length,
    notes,
  };
}

/** What is asked beyond the kit's lists: the numbers of a change are those of the message before it. */
const unchanged = ['ORC-2', 'ORC-3', 'OBR-18', 'OBR-19', 'OBR-20', 'ZDS-1'];

function ownChecks({ received, performed, plan }: MesaCase, { message, since }: Receiving, arrived: FieldsOfMessage) {
  const before = since && received.get(since.path);
  const places = before ? unchanged : [];
  const changed = places.filter((place) => before?.field(place) !== arrived.field(place));
  const mismatches = changed.map((place) => ({
    place,
    expected: before?.field(place) || '(empty)',
    received: arrived.field(place) || '(empty)',
  }));
  // RAD TF-2 4.4: what was performed before it was ordered keeps the study that the modality made.
  const service = message.fields.component('OBR-4', 1);
  const study = plan.examinations.find(({ unscheduled }) => unscheduled?.procedureCode === service);
  const uid = study && performed.get(study)?.studyInstanceUid;
  if (uid === undefined || message.fields.all('ZDS').length === 0) return { places, mismatches };
  const own = arrived.component('ZDS-1', 1);
  const differs = own === uid ? [] : [{ place: 'ZDS-1.1', expected: uid, received: own || '(empty)' }];
  return { places: [...places, 'ZDS-1.1'], mismatches: [...mismatches, ...differs] };
}

/** First what is like the kit's message; when nothing is, what has its order control, to show the differences. */
async function claim(played: MesaCase, actor: 'OP' | 'IM', reference: FieldsOfMessage): Promise<Arrival | undefined> {
  const { stage, parts, signal, withinMs } = played;
  const identifiers = new Set([reference.component('PID-3', 1), reference.component('ORC-2', 1)].filter(Boolean));
  const alike = (places: readonly string[]) => (arrival: Arrival) => {
    const fields = fieldsOf(arrival.raw);
    return places.every((place) => {
      const wanted = reference.component(place, 1);
      return wanted === '' || fields?.component(place, 1) === wanted;
    });
  };
  const likeIn = (...places: string[]) => ({
    actor: parts[actor],
    type: reference.field('MSH-9'),
    isOurs: (one: Arrival) => belongs(one, identifiers) && alike(places)(one),
  });
  const arrival = await stage.mailbox.claim(likeIn('ORC-1', 'ORC-2', 'ORC-5'), withinMs, signal);
  return arrival ?? stage.mailbox.claim(likeIn('ORC-1'), 0, signal);
}

/** Says what came instead, by order control; without whom it depended on, it was not played. */
function notArrived(played: MesaCase, actor: 'OP' | 'IM', reference: FieldsOfMessage): MesaOutcome {
  const { stage, parts, undone, signal, withinMs } = played;
  if (signal.aborted) return broken('stopped');
  if (undone !== undefined) return skipped(undone);
  const control = (fields: FieldsOfMessage | undefined): string =>
    [fields?.field('ORC-1'), fields?.field('ORC-5')].filter(Boolean).join('/');
  const identifiers = new Set([reference.component('PID-3', 1), reference.component('ORC-2', 1)].filter(Boolean));
  const others = stage.mailbox
    .backlog()
    .filter((one) => one.actor === parts[actor] && [...identifiers].some((identifier) => one.values.has(identifier)))
    .map((one) => `${one.type} ${control(fieldsOf(one.raw))}`.trim());
  const instead = others.length === 0 ? '' : `; instead came ${others.join(', ')}`;
  const missing = `${reference.field('MSH-9')} ${control(reference)}`.trim();
  return {
    ...nothingWrong,
    problems: [
      `no ${missing} came to ${parts[actor]} within ${withinMs} ms${instead}`,
      'an Order Filler that has these messages from an earlier playing does not act on them again: --start begins empty',
    ],
  };
}
