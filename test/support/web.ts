/** The server's web interface, as anybody outside sees it. */
export interface WebClient {
  /** GET; fails for anything but 200. */
  get<T>(path: string): Promise<T>;
  /** POST of JSON, or of a text as text/plain; status and body. */
  post<T>(path: string, body?: object | string): Promise<{ readonly status: number; readonly body: T }>;
}

export function webClient(port: number): WebClient {
  const origin = `http://127.0.0.1:${port}`;
  return {
    get: async <T>(path: string) => {
      const response = await fetch(origin + path);
      if (response.status !== 200) throw new Error(`GET ${path} is ${response.status}: ${await response.text()}`);
      return (await response.json()) as T;
    },
    post: async <T>(path: string, body: object | string = {}) => {
      const plain = typeof body === 'string';
      const headers = { 'Content-Type': plain ? 'text/plain' : 'application/json' };
      const init = { method: 'POST', headers, body: plain ? body : JSON.stringify(body) };
      const response = await fetch(origin + path, init);
      return { status: response.status, body: (await response.json()) as T };
    },
  };
}

/** A procedure as GET /api/procedures shows it, as far as tests look at it. */
export interface ShownProcedure {
  readonly requestedProcedureId: string;
  readonly accessionNumber: string;
  readonly placerOrderNumber: string | null;
  readonly fillerOrderNumber: string;
  readonly studyInstanceUid: string;
  readonly patientId: string;
  readonly orderStatus: string;
  readonly state: string;
  readonly report: string;
  readonly steps: readonly {
    readonly scheduledProcedureStepId: string;
    readonly stepStatus: string;
    readonly modality: string;
    readonly scheduledStationAeTitles: readonly string[];
    readonly start: string;
  }[];
}

/** A line of GET /api/procedures/{id}/history. */
export interface ShownHistory {
  readonly event: string;
  readonly from: string;
  readonly to: string;
  readonly remark: string | null;
  readonly cause: { readonly messageId: number | null; readonly by: string | null };
}

/** The procedures of an order, oldest first. */
export async function proceduresOf(web: WebClient, placerOrderNumber: string): Promise<ShownProcedure[]> {
  const path = `/api/procedures?placerOrderNumber=${encodeURIComponent(placerOrderNumber)}`;
  const { items } = await web.get<{ items: ShownProcedure[] }>(path);
  return items.reverse();
}

export async function historyOf(web: WebClient, requestedProcedureId: string): Promise<ShownHistory[]> {
  const { items } = await web.get<{ items: ShownHistory[] }>(`/api/procedures/${requestedProcedureId}/history`);
  return [...items];
}
