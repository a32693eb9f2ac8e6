/** How an exchange was answered. */
export interface Answer {
  /** MSA-1, the DIMSE status in hexadecimal, or the HTTP status. */
  readonly code: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Its file in the transcript, where there is one. */
  readonly file?: string | undefined;
}

/** One request that went over the wire in a playing, and its answer. */
export interface Exchange {
  /** Actors of the cast; `OF` is the Order Filler, `staff` a person who works with it. */
  readonly from: string;
  readonly to: string;
  readonly protocol: 'hl7' | 'dicom' | 'http';
  /** `ORM^O01`, `N-CREATE`, `POST` */
  readonly type: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Its file in the transcript. */
  readonly file: string;
  /** Filled in when it comes; none came while it is undefined. */
  answer?: Answer;
}

/** A DIMSE status as it is written: four hexadecimal digits. */
export function statusText(status: number): string {
  return status.toString(16).toUpperCase().padStart(4, '0');
}
