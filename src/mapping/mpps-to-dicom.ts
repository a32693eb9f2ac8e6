import { hasTextBeyondAscii } from '../dicom/codec.ts';
import { type Dataset, type Value, keywordOf, tagOf } from '../dicom/dataset.ts';
import { mppsAttribute } from './mpps-attributes.ts';

/** What an N-GET finds. */
export interface AttributesAsked {
  readonly dataset: Dataset;
  /** Tags that neither the instance nor the table of attributes has: the answer is the warning 0107. */
  readonly notRecognized: readonly string[];
}

/** The values that an N-GET shows: an attribute of type 2 that the modality left out is empty, any other is not there. */
function valuesOf(instance: Dataset, keyword: string): readonly Value[] | undefined {
  return instance[keyword] ?? (mppsAttribute(keyword)?.create === '2/2' ? [] : undefined);
}

function partOf(instance: Dataset, keywords: readonly string[]): Dataset {
  return Object.fromEntries(
    keywords.flatMap((keyword) => {
      const values = valuesOf(instance, keyword);
      return values ? [[keyword, values]] : [];
    }),
  );
}

/**
 * The attributes that an N-GET asks of an instance (PS3.7 10.1.2), by tags of eight hexadecimal digits; none asks for all.
 * The character set comes with text that needs it.
 */
export function attributesAsked(instance: Dataset, tags: readonly string[]): AttributesAsked {
  if (tags.length === 0) return { dataset: instance, notRecognized: [] };
  const keywords = tags.map(keywordOf);
  const dataset = partOf(instance, keywords);
  const notRecognized = keywords.filter((keyword) => !(keyword in instance) && !mppsAttribute(keyword)).map(tagOf);
  const characterSet = hasTextBeyondAscii(dataset) ? partOf(instance, ['SpecificCharacterSet']) : {};
  return { dataset: { ...dataset, ...characterSet }, notRecognized };
}
