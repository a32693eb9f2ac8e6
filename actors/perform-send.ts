import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { readAck } from '../src/hl7/ack.ts';
import { parseMessage } from '../src/hl7/message.ts';
import { type Checks, verdict } from './checks.ts';
import { type RenderedMessage, renderMessage } from './hl7-file.ts';
import type { Notes } from './notes.ts';
import { type Outcome, type Playing, type ValueAt, broken, expectAndCapture, isPassed, judged } from './outcome.ts';
import { type StepOf, messagesOf } from './scenario.ts';
import { type Together, sendSplit, sendTogether } from './split-sender.ts';

interface Sending {
  readonly playing: Playing;
  readonly notes: Notes;
}

/** Sends a message and looks at its answer; or several at once, and looks at each. */
export async function send(step: StepOf<'send'>, playing: Playing, notes: Notes): Promise<Outcome> {
  const { scenario, stage, scope } = playing;
  const parties = { sender: stage.identityOf(step.from), receiver: stage.orderFillerIdentity };
  const messages = messagesOf(step).map((file) =>
    renderMessage(readFileSync(resolve(scenario.folder, file), 'utf8'), scope, parties),
  );
  const [message] = messages;
  if (step.together) return sendAtOnce(step, messages, step.together, { playing, notes });
  if (!message) return broken('there is nothing to send');
  const first = await sendOnce(step, message, { playing, notes, time: '' });
  if (!step.twice || first.problems.length > 0) return first;
  // The same bytes once more, as after an acknowledgement that was lost (HL7 v2.5.1 2.9.2.1).
  const second = await sendOnce(step, message, { playing, notes, time: '-again' });
  return joined(first, second, 'again');
}

/** Two outcomes as one; what is said of the second one's places tells them apart. */
function joined(first: Outcome, second: Outcome, told: string): Outcome {
  const more = second.verdicts.map((one) => ({ ...one, place: `${one.place} ${told}` }));
  return { verdicts: [...first.verdicts, ...more], problems: [...first.problems, ...second.problems] };
}

async function sendOnce(
  { from, split, ack, capture }: StepOf<'send'>,
  message: RenderedMessage,
  { playing, notes, time }: Sending & { time: string },
): Promise<Outcome> {
  const { scenario, stage } = playing;
  const { hl7 } = stage.orderFiller;
  const file = notes.hl7(`${from}-sent${time}`, message.bytes);
  const exchange = notes.sent({ from, to: 'OF', protocol: 'hl7', type: message.type, file });
  const answer = split
    ? await sendSplit({ ...hl7, timeoutMs: scenario.within }, message.bytes, split)
    : await playing.senderOf(from).send(message.bytes, scenario.within);
  notes.answered(exchange, readAck(answer)?.code ?? '?', notes.hl7(`${from}-answer${time}`, answer));
  return look({ message, answer }, { expect: ack, capture }, playing);
}

interface Answered {
  readonly message: RenderedMessage;
  readonly answer: Uint8Array;
}

type Looked = Parameters<typeof expectAndCapture>[0];

function look({ message, answer }: Answered, looked: Looked, { scope }: Playing): Outcome {
  const ack = readAck(answer);
  if (!ack) return broken('the answer is no acknowledgement: it has no MSA');
  const ours = verdict('MSA-2', message.controlId, ack.controlId);
  if (!ours.holds) {
    return judged([{ ...ours, expected: `${ours.expected} (the control id of the message)` }], undefined);
  }
  const valueAt: ValueAt = (place) => parseMessage(answer).get(place);
  return judged(expectAndCapture(looked, { scope, valueAt }), ack.text);
}

async function sendAtOnce(
  { from, ack = {}, acks }: StepOf<'send'>,
  messages: readonly RenderedMessage[],
  together: Together,
  { playing, notes }: Sending,
): Promise<Outcome> {
  const address = { ...playing.stage.orderFiller.hl7, timeoutMs: playing.scenario.within };
  const exchanges = messages.map(({ bytes, type }, index) => {
    const file = notes.hl7(`${from}-sent-${index + 1}`, bytes);
    return notes.sent({ from, to: 'OF', protocol: 'hl7', type, file });
  });
  const bytes = messages.map((message) => message.bytes);
  const answers = await sendTogether(address, bytes, together);
  exchanges.forEach((exchange, index) => {
    const answer = answers[index] ?? new Uint8Array();
    notes.answered(exchange, readAck(answer)?.code ?? '?', notes.hl7(`${from}-answer-${index + 1}`, answer));
  });
  const answered = messages.map((message, index) => ({ message, answer: answers[index] ?? new Uint8Array() }));
  const expected: readonly Checks[] = acks ?? messages.map(() => ack);
  const paired = together === 'packet' ? answered : inAnyOrder(answered, expected, playing);
  return paired
    .map((one, index) => look(one, { expect: expected[index] }, playing))
    .reduce((all, outcome, index) => joined(all, outcome, `of ${index + 1}`), { verdicts: [], problems: [] });
}

/** Which of two connections is served first is nobody's business: each entry takes the first answer that it holds for. */
function inAnyOrder(answered: readonly Answered[], expected: readonly Checks[], playing: Playing): Answered[] {
  const left = [...answered];
  return expected.flatMap((expect) => {
    const fitting = left.findIndex((one) => isPassed(look(one, { expect }, playing)));
    return left.splice(Math.max(0, fitting), 1);
  });
}
