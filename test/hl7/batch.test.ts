import { describe, expect, it } from 'vitest';
import { buildAck } from '../../src/hl7/ack.ts';
import { batchAnswer, splitBatch } from '../../src/hl7/batch.ts';
import type { Batch } from '../../src/hl7/batch.ts';
import { parseMessage, readHeader } from '../../src/hl7/message.ts';
import { bytesOf, failureOf, linesOf } from './support.ts';

const fhs = 'FHS|^~\\&|ADT^1.2^ISO|HOSP|DSS|RAD|20260105||night.hl7||F1';
const bhs = 'BHS|^~\\&|ADT^1.2^ISO|HOSP|DSS|RAD|20260105||||B1';
const msh = (id: string): string => `MSH|^~\\&|ADT|HOSP|DSS|RAD|||ADT^A08|${id}|P|2.3.1`;
const answer = { controlId: 'A1', now: new Date('2026-01-05T08:05:00Z'), timeZone: 'Europe/Berlin' };

function batchOf(lines: readonly string[] | Uint8Array): Batch {
  const split = splitBatch(lines instanceof Uint8Array ? lines : bytesOf(lines));
  if (split.kind !== 'batch') throw new Error('it is no batch');
  return split;
}

const idsOf = ({ messages }: Batch): (string | undefined)[] => messages.map((bytes) => readHeader(bytes)?.controlId);

const ackOf = (bytes: Uint8Array): Uint8Array => {
  const header = readHeader(bytes);
  if (!header) throw new Error('the message has no MSH');
  return buildAck(header, { ...answer, code: 'AA', controlId: `A-${header.controlId}` });
};

describe('taking a batch apart (HL7 v2.5.1 2.10.3)', () => {
  it('leaves a single message alone', () => {
    expect(splitBatch(bytesOf([msh('1'), 'PID|1']))).toEqual({ kind: 'message' });
    expect(splitBatch(bytesOf(['BTS|1']))).toEqual({ kind: 'message' });
    expect(splitBatch(bytesOf(['BHSX|1']))).toEqual({ kind: 'message' });
    expect(splitBatch(new Uint8Array())).toEqual({ kind: 'message' });
  });

  it.each(['\r', '\n', '\r\n'])('gives each message of a file whose lines end in %j, byte for byte', (end) => {
    const lines = [fhs, bhs, msh('1'), 'PID|1', msh('2'), 'PID|2', 'PV1|1', 'BTS|2', 'FTS|1'];
    const batch = batchOf(Buffer.from(lines.map((line) => line + end).join('')));
    expect(batch.messages.map((bytes) => Buffer.from(bytes).toString())).toEqual([
      `${msh('1')}${end}PID|1${end}`,
      `${msh('2')}${end}PID|2${end}PV1|1${end}`,
    ]);
    expect(batch.remarks).toEqual([]);
  });

  it.each([
    ['BHS alone', [bhs, msh('1'), 'BTS|1'], ['1']],
    ['FHS alone', [fhs, msh('1'), msh('2'), 'FTS|1'], ['1', '2']],
    ['no message', [fhs, bhs, 'BTS|0', 'FTS|1'], []],
    ['no batch', [fhs, 'FTS|0'], []],
    ['several batches', [fhs, bhs, msh('1'), 'BTS|1', bhs, msh('2'), msh('3'), 'BTS|2', 'FTS|2'], ['1', '2', '3']],
    ['counts left out', [fhs, bhs, msh('1'), 'BTS', 'FTS'], ['1']],
  ])('reads %s without a remark', (_, lines, ids) => {
    const batch = batchOf(lines);
    expect([idsOf(batch), batch.remarks]).toEqual([ids, []]);
  });

  it('lets every message have delimiters and a character set of its own', () => {
    const latin1 = Buffer.from(`${msh('1')}||||||8859/1\rNTE|1||M\xFCller\r`, 'latin1');
    const other = Buffer.from('MSH*:;!%*ADT*H*D*R***ADT:A08*2*P*2.3.1\rNTE*1**a:b\r');
    const head = Buffer.from('BHS$^~\\&$ADT$H$D$R$$$$$B1\r');
    const batch = batchOf(Buffer.concat([head, latin1, other, Buffer.from('BTS$2\r')]));
    const values = batch.messages.map((bytes) => parseMessage(bytes).get('NTE-3'));
    expect([values, batch.remarks]).toEqual([['M\u00FCller', 'a'], []]);
  });

  it.each([
    ['a wrong BTS-1', [bhs, msh('1'), 'BTS|7'], /BTS-1.*1/],
    ['a wrong FTS-1', [fhs, bhs, 'BTS', 'FTS|3'], /FTS-1.*1/],
    ['a BTS-1 that is no number', [bhs, msh('1'), 'BTS|one'], /BTS-1/],
    ['no BTS', [bhs, msh('1')], /BTS/],
    ['no FTS', [fhs, msh('1')], /FTS/],
    ['a BTS without BHS', [fhs, msh('1'), 'BTS|1', 'FTS'], /BHS/],
    ['a BHS before BTS', [bhs, msh('1'), bhs, msh('2'), 'BTS|1'], /BTS/],
    ['an MSH after BTS', [bhs, msh('1'), 'BTS|1', msh('2')], /BHS/],
    ['an FTS without FHS', [bhs, msh('1'), 'BTS|1', 'FTS|1'], /FHS/],
  ])('remarks %s and keeps every message', (_, lines, remark) => {
    const batch = batchOf(lines);
    expect(batch.remarks.join()).toMatch(remark);
    expect(batch.messages).toHaveLength(lines.filter((line) => line.startsWith('MSH')).length);
  });

  it.each([
    ['a second FHS', [fhs, bhs, fhs], 'FHS^2'],
    ['a segment before the first message', [bhs, 'PID|1', msh('1'), 'BTS'], 'BHS^1'],
    ['a segment between two batches', [bhs, msh('1'), 'BTS', 'PID|1'], 'BHS^1'],
    ['a BTS without anything to end', [fhs, 'BTS|0'], 'BTS^1'],
    ['a message after FTS', [fhs, 'FTS|0', msh('1')], 'FTS^1'],
  ])('refuses %s with 100', (_, lines, location) => {
    expect(failureOf(() => batchOf(lines))).toEqual({ code: 'segment-sequence', location });
  });

  it('refuses a flood of tiny messages', () => {
    const flood = Buffer.from(bhs + '\rMSH|'.repeat(10_001));
    expect(failureOf(() => splitBatch(flood)).code).toBe('segment-sequence');
  });
});

describe('the answer to a batch (HL7 v2.5.1 2.10.3.3)', () => {
  it('has the segments of the request, sender and receiver swapped, and refers to its control ids', () => {
    const batch = batchOf([fhs, bhs, msh('1'), msh('2'), 'BTS|2', 'FTS|1']);
    const lines = linesOf(batchAnswer(batch, batch.messages.map(ackOf), answer));
    expect(lines[0]).toBe('FHS|^~\\&|DSS|RAD|ADT^1.2^ISO|HOSP|20260105090500+0100||||A1|F1');
    expect(lines[1]).toBe('BHS|^~\\&|DSS|RAD|ADT^1.2^ISO|HOSP|20260105090500+0100||||A1|B1');
    expect([lines[3], lines[5]]).toEqual(['MSA|AA|1', 'MSA|AA|2']);
    expect(lines.slice(6)).toEqual(['BTS|2', 'FTS|1']);
  });

  it('has no FHS where the request had none, and no BHS where that had none', () => {
    const withoutFile = batchOf([bhs, msh('1'), 'BTS|1']);
    const withoutBatch = batchOf([fhs, msh('1'), 'FTS|1']);
    const namesOf = (batch: Batch): string[] =>
      linesOf(batchAnswer(batch, batch.messages.map(ackOf), answer)).map((line) => line.slice(0, 3));
    expect(namesOf(withoutFile)).toEqual(['BHS', 'MSH', 'MSA', 'BTS']);
    expect(namesOf(withoutBatch)).toEqual(['FHS', 'MSH', 'MSA', 'FTS']);
  });

  it('is an empty batch for an empty batch', () => {
    expect(linesOf(batchAnswer(batchOf([bhs, 'BTS|0']), [], answer)).at(-1)).toBe('BTS|0');
  });

  it('leaves out the answer that a message did not want, and counts what is there', () => {
    const batch = batchOf([bhs, msh('1'), msh('2'), 'BTS|2', bhs, msh('3'), 'BTS|1']);
    const [first, , third] = batch.messages.map(ackOf);
    const lines = linesOf(batchAnswer(batch, [first, undefined, third], answer));
    expect(lines.filter((line) => /^(MSA|BTS)/.test(line))).toEqual(['MSA|AA|1', 'BTS|1', 'MSA|AA|3', 'BTS|1']);
  });

  it('has a control id of its own for every batch, of 20 characters at most', () => {
    const batch = batchOf([bhs, msh('1'), 'BTS', bhs, msh('2'), 'BTS']);
    const answers = batch.messages.map(ackOf);
    const lines = linesOf(batchAnswer(batch, answers, { ...answer, controlId: 'S23456789012345678' }));
    const ids = lines.filter((line) => line.startsWith('BHS')).map((line) => line.split('|')[10]);
    expect(ids).toEqual(['S23456789012345678', 'S23456789012345678.2']);
  });

  it('is in the delimiters of the request and carries no control character of it', () => {
    const batch = batchOf(['BHS$^~\\&$A\x0bDT$H$D$R$$$$$B\x1c1', 'BTS$0']);
    expect(linesOf(batchAnswer(batch, [], answer))).toEqual([
      'BHS$^~\\&$D$R$ADT$H$20260105090500+0100$$$$A1$B1',
      'BTS$0',
    ]);
  });

  it('can be taken apart again', () => {
    const batch = batchOf([fhs, bhs, msh('1'), msh('2'), 'BTS|2', 'FTS|1']);
    const again = batchOf(batchAnswer(batch, batch.messages.map(ackOf), answer));
    expect([idsOf(again), again.remarks]).toEqual([['A-1', 'A-2'], []]);
  });
});
