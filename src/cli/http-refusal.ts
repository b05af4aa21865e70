import type {Readable} from 'node:stream';
import {isMtlsError, type MtlsClient, type MtlsError} from '../index.ts';

/** The statuses with which nginx and Apache refuse a client certificate, or the lack of one. */
const refusalStatuses: ReadonlySet<number> = new Set([400, 403, 495, 496]);

/** Whether a page with this status may refuse the client certificate. */
export function mayRefuse(status: number): boolean {
	return refusalStatuses.has(status);
}

/** nginx's and Apache's pages have some 700 characters. */
const maxPageBytes = 4096;

/** Passes a body on, and keeps its beginning where it may be such a page. */
export class PageCopy {
	readonly #status: number;
	#bytes = 0;
	readonly #chunks: Buffer[] = [];

	constructor(status: number) {
		this.#status = status;
	}

	async *pass(body: Readable): AsyncGenerator<Buffer> {
		for await (const chunk of body) {
			this.#bytes += chunk.length;
			if (this.#bytes <= maxPageBytes) this.#chunks.push(chunk);
			yield chunk;
		}
	}

	/** Whether it speaks of a client certificate. */
	get mayBeRefusal(): boolean {
		if (!mayRefuse(this.#status) || this.#bytes > maxPageBytes) return false;
		if (this.#status > 403) return true;
		return /SSL certificate|Post-Handshake/.test(Buffer.concat(this.#chunks).toString('latin1'));
	}
}

/**
 * Requests a page once more: the library looks for a refusal only if `validateStatus` rejects the status,
 * and never in a stream.
 *
 * @returns `undefined` when the page is no refusal.
 */
export async function findRefusal(
	client: MtlsClient,
	url: URL,
	signal: AbortSignal | undefined,
): Promise<MtlsError | undefined> {
	try {
		await client.get(url.href, {
			...(signal && {signal}),
			responseType: 'text',
			maxContentLength: maxPageBytes,
			validateStatus: (status) => status < 400,
		});
	} catch (error) {
		if (isMtlsError(error)) return error;
	}
	return undefined;
}
