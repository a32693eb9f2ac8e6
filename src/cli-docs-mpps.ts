import { markdownTable } from './cli-docs-hl7.ts';
import { tagOf } from './dicom/dataset.ts';
import { type MppsAttribute, mppsAttributes } from './mapping/mpps-attributes.ts';

const formats: Readonly<Record<NonNullable<MppsAttribute['format']>, string>> = {
  uid: 'a UID',
  date: 'a day that the calendar has',
  time: 'a time',
  code: 'each item a code with its scheme, or a URN',
};

function atTheEnd({ final, finalMayBeEmpty }: MppsAttribute): string {
  if (final === undefined) return '';
  return finalMayBeEmpty ? `${final}, or empty: nothing was made` : final;
}

function rowOf(attribute: MppsAttribute): string[] {
  const { keyword, in: path = [], create, set, format } = attribute;
  const tag = tagOf(keyword);
  const shownTag = `(${tag.slice(0, 4)},${tag.slice(4)})`;
  const level = '· '.repeat(path.length);
  return [shownTag, `${level}${keyword}`, create, set, atTheEnd(attribute), format ? formats[format] : ''];
}

/** docs/conformance/mpps-attributes.md, made from the table that N-CREATE and N-SET are checked by. */
export function mppsAttributesDocument(): string {
  const head = ['tag', 'attribute', 'N-CREATE', 'N-SET', 'when it ends', 'value (0106)'];
  return [
    '<!-- Written by `npm run docs` from src/mapping/mpps-attributes.ts. Changes by hand are lost. -->',
    '',
    '# The attributes of an MPPS',
    '',
    'PS3.4 tables F.7.2-1 and F.7.2-2: the type for the modality, and for us. 1: with a value; 1C: with a value where text',
    'is not ASCII; 2: present, maybe empty; 3: optional; NA: may not be set. What is in a sequence stands behind a dot for',
    'each level and is asked of each of its items. All other attributes are of type 3: they are taken and kept.',
    '',
    'What follows when a row is not kept to: [dicom.md](dicom.md#rad-6-rad-7-modality-performed-procedure-step).',
    '',
    ...markdownTable([head, ...mppsAttributes.map(rowOf)]),
    '',
  ].join('\n');
}
