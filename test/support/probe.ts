export interface ProbeAnswer {
  /** 0: nobody listens. */
  status: number;
  /** The names of the checks that fail. */
  failing: string[];
}

/** Asks a service, at its base URL, for the answer to one of its probes. */
export async function probe(base: string, path: 'livez' | 'readyz'): Promise<ProbeAnswer> {
  try {
    const response = await fetch(`${base}/${path}`);
    const body = (await response.json()) as { checks: Array<{ name: string; ok: boolean }> };
    const failing = body.checks.filter(({ ok }) => !ok).map(({ name }) => name);
    return { status: response.status, failing };
  } catch {
    return { status: 0, failing: [] };
  }
}
