import {AxiosError, type InternalAxiosRequestConfig} from 'axios';
import type {Hop} from '../hop.ts';
import {ownHeaders} from './request.ts';

/**
 * The body of a hop as bytes; `null` where there is none.
 *
 * @throws {AxiosError} when it is longer than `maxBodyLength`, in the words of axios.
 */
export function bodyOf({headers, body}: Hop, config: InternalAxiosRequestConfig): Buffer | null {
	const bytes = bytesOf(body?.data);
	const {maxBodyLength = -1} = config;
	if (bytes === null || maxBodyLength <= -1 || bytes.length <= maxBodyLength) return bytes;
	ownHeaders(headers, bytes);
	throw new AxiosError(
		'Request body larger than maxBodyLength limit',
		AxiosError.ERR_BAD_REQUEST,
		config,
	);
}

function bytesOf(data: unknown): Buffer | null {
	if (!data) return null;
	if (typeof data === 'string') return Buffer.from(data, 'utf8');
	return Buffer.isBuffer(data) ? data : Buffer.from(data as ArrayBuffer);
}
