import { z } from 'zod';
import { AppError, messageOf } from '../errors.ts';

/** The Hugging Face hub, whose interface mirrors and on-premises hubs share. */
export const DEFAULT_ENDPOINT = 'https://huggingface.co';

/** A repository at one commit. */
export interface HubRevision {
  /** The commit, 40 hexadecimal digits: what a branch points to today. */
  commit: string;
  files: ReadonlyMap<string, HubFile>;
}

export interface HubFile {
  bytes: number | null;
  /** Of the content, for large files. */
  sha256: string | null;
  /** Git's object id (SHA-1 over a header and the content), for small files. */
  blobId: string | null;
}

const revisionSchema = z.looseObject({
  sha: z.string().regex(/^[0-9a-f]{40}$/, 'expected a commit'),
  siblings: z.array(
    z.looseObject({
      rfilename: z.string(),
      size: z.int().nonnegative().nullish(),
      blobId: z.string().nullish(),
      lfs: z.looseObject({ sha256: z.string() }).nullish(),
    }),
  ),
});

/** Throws AppError `model_download_failed`. */
export async function readRevision(
  endpoint: string,
  repo: string,
  revision: string,
): Promise<HubRevision> {
  const url = `${endpoint}/api/models/${repo}/revision/${encodeURIComponent(revision)}?blobs=true`;
  const fail = (what: string, cause?: unknown): AppError =>
    new AppError('model_download_failed', `asking the hub about ${repo}: ${url}: ${what}`, {
      cause,
    });
  let response: Response;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(30_000) });
  } catch (cause) {
    const inner = cause instanceof Error && cause.cause !== undefined ? cause.cause : cause;
    throw fail(
      `${messageOf(inner)}. Without a way to the hub, copy the model's folder here and give its path, or name a mirror with --endpoint.`,
      cause,
    );
  }
  if (!response.ok)
    throw fail(`the server answered ${response.status} ${response.statusText}`.trimEnd());
  const parsed = revisionSchema.safeParse(await response.json().catch(() => null));
  if (!parsed.success) throw fail(`not the answer of a hub:\n${z.prettifyError(parsed.error)}`);
  const files = parsed.data.siblings.map(({ rfilename, size, blobId, lfs }): [string, HubFile] => [
    rfilename,
    { bytes: size ?? null, sha256: lfs?.sha256 ?? null, blobId: lfs ? null : (blobId ?? null) },
  ]);
  return { commit: parsed.data.sha, files: new Map(files) };
}

/** Where a file of a repository is served. */
export function fileUrl(endpoint: string, repo: string, commit: string, name: string): string {
  return `${endpoint}/${repo}/resolve/${commit}/${name.split('/').map(encodeURIComponent).join('/')}`;
}
